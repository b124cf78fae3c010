import { describe, expect, it } from "vitest";
import { type CommitSource, isAncestorOf, rangeOf } from "../../src/git/history.ts";
import type { CommitInfo, Oid } from "../../src/model/git.ts";

const { signal } = new AbortController();

function commit(oid: Oid, parents: Oid[], committedAt = 0): CommitInfo {
  return { oid, parents, committedAt, tree: "t", message: oid, author: "a" };
}

/** A remote whose answers are cut at a depth; counts how often it is asked. */
class Commits implements CommitSource {
  readonly asked: string[] = [];
  readonly #all: Map<Oid, CommitInfo>;
  readonly #known: Set<Oid>;
  readonly #longest: number;

  constructor(all: CommitInfo[], options: { known?: Oid[]; longest?: number } = {}) {
    this.#all = new Map(all.map((info) => [info.oid, info]));
    this.#known = new Set(options.known);
    this.#longest = options.longest ?? Number.POSITIVE_INFINITY;
  }

  known(oid: Oid): CommitInfo | undefined {
    return this.#known.has(oid) ? this.#all.get(oid) : undefined;
  }

  async history(input: { tip: Oid; except?: Oid; depth: number }) {
    this.asked.push(`history ${input.depth}`);
    const hidden = this.#walk(input.except === undefined ? [] : [input.except], Number.POSITIVE_INFINITY, new Set());
    const found = this.#walk([input.tip], Math.min(input.depth, this.#longest), new Set(hidden.commits.keys()));
    return found;
  }

  async has(oid: Oid): Promise<boolean> {
    this.asked.push("has");
    return this.#all.has(oid);
  }

  #walk(from: Oid[], depth: number, except: Set<Oid>) {
    const commits = new Map<Oid, CommitInfo>();
    let level = from;
    for (let i = 0; i < depth && level.length > 0; i++) {
      const infos = level.filter((oid) => !except.has(oid)).flatMap((oid) => this.#all.get(oid) ?? []);
      for (const info of infos) commits.set(info.oid, info);
      level = infos.flatMap(({ parents }) => parents);
    }
    return { commits, cut: level.some((oid) => !except.has(oid) && this.#all.has(oid)) };
  }
}

const line = (length: number): CommitInfo[] =>
  Array.from({ length }, (_, i) => commit(`c${i}`, i === 0 ? [] : [`c${i - 1}`], i));

describe("history without trees", () => {
  it("asks nobody when every commit in between is known", async () => {
    const source = new Commits(line(5), { known: ["c4", "c3"] });
    const range = await rangeOf(source, "c2", "c4", signal);
    expect(range.commits.map(({ oid }) => oid)).toEqual(["c4", "c3"]);
    expect(source.asked).toEqual([]);
  });

  it("asks when a known line ends elsewhere: the base may have had that side too", async () => {
    // base <- left <- merge, with a root that base also descends from on the other side of the merge
    const all = [
      commit("root", []),
      commit("base", ["root"], 1),
      commit("left", ["base"], 2),
      commit("merge", ["left", "root"], 3),
    ];
    const source = new Commits(all, { known: all.map(({ oid }) => oid) });
    const range = await rangeOf(source, "base", "merge", signal);
    expect(range).toMatchObject({ connected: true });
    expect(range.commits.map(({ oid }) => oid)).toEqual(["merge", "left"]);
    expect(source.asked).toEqual(["history 1000"]);
  });

  it("puts children before parents and later commits first, whatever their clocks say", async () => {
    const all = [
      commit("base", []),
      commit("a1", ["base"], 50),
      commit("a2", ["a1"], 10),
      commit("b1", ["base"], 20),
      commit("m", ["a2", "b1"], 1),
    ];
    const range = await rangeOf(new Commits(all), "base", "m", signal);
    expect(range.commits.map(({ oid }) => oid)).toEqual(["m", "b1", "a2", "a1"]);
  });

  it("looks further back for an ancestor, but only if the repository has it", async () => {
    const source = new Commits(line(1500));
    expect(await isAncestorOf(source, "c0", "c1499", signal)).toBe(true);
    expect(source.asked).toEqual(["history 1000", "has", "history 50000"]);
    const other = new Commits(line(1500));
    expect(await isAncestorOf(other, "elsewhere", "c1499", signal)).toBe(false);
    expect(other.asked).toEqual(["history 1000", "has"]);
  });

  it("says that it cannot tell rather than guess", async () => {
    const source = new Commits(line(100), { longest: 10 });
    await expect(isAncestorOf(source, "c0", "c99", signal)).rejects.toMatchObject({ code: "git-too-large" });
  });
});
