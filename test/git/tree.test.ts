import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCommit, serializeCommit } from "../../src/git/commit.ts";
import { ObjectStore } from "../../src/git/object-store.ts";
import { splitPath } from "../../src/git/path.ts";
import { buildTree, findEntry, putEntry, treeEntries } from "../../src/git/tree.ts";

const oid = (digit: string): string => digit.repeat(40);

describe("trees", () => {
  const entry = fc.record({
    mode: fc.constantFrom("100644", "100755", "40000", "120000", "160000", "100664"),
    name: fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom("a", "b", ".", "-", "0", "ä", " ") }),
    // Ids made of the very bytes that names are found by.
    oid: fc.constantFrom(oid("0"), "20".repeat(20), "61".repeat(20), `2061${"00".repeat(18)}`),
  });
  const entries = fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 12 });

  it("give back every entry that was put in", () => {
    fc.assert(
      fc.property(entries, (all) => {
        const tree = buildTree(all);
        for (const { name, ...rest } of all) expect(findEntry(tree, name)).toMatchObject(rest);
        expect(treeEntries(tree)).toHaveLength(all.length);
        expect(findEntry(tree, "missing")).toBeUndefined();
      }),
    );
  });

  it("are the same whether a file is put in first or last", () => {
    fc.assert(
      fc.property(entries, entry, (all, extra) => {
        const others = all.filter(({ name }) => name !== extra.name);
        const whole = buildTree([...others, { ...extra, mode: "100644" }]);
        expect(putEntry(buildTree(others), extra.name, extra.oid)).toEqual(whole);
      }),
    );
  });

  it("change nothing but the id when an entry is replaced", () => {
    fc.assert(
      fc.property(entries, (all) => {
        const tree = buildTree(all);
        for (const { name, mode } of all) {
          const changed = putEntry(tree, name, oid("f"));
          const expected = all.map((other) => (other.name === name ? { name, mode, oid: oid("f") } : other));
          expect(changed).toEqual(buildTree(expected));
        }
      }),
    );
  });

  it("are refused when they break off", () => {
    const tree = buildTree([{ mode: "100644", name: "file", oid: oid("1") }]);
    expect(() => treeEntries(tree.subarray(0, -1))).toThrow(expect.objectContaining({ code: "git-protocol" }));
  });
});

describe("commits", () => {
  const who = { name: "Ada <x>\n", email: "ada@example.com" };
  const commit = {
    tree: oid("a"),
    parent: oid("b"),
    message: "subject\n\nbody",
    author: who,
    committer: who,
    time: 1999,
  };

  it("are what git would write", () => {
    expect(serializeCommit(commit).toString()).toBe(
      `tree ${oid("a")}\nparent ${oid("b")}\nauthor Ada x <ada@example.com> 1 +0000\n` +
        "committer Ada x <ada@example.com> 1 +0000\n\nsubject\n\nbody\n",
    );
  });

  it("come back as they were written", () => {
    expect(parseCommit(oid("c"), serializeCommit(commit))).toEqual({
      oid: oid("c"),
      tree: oid("a"),
      parents: [oid("b")],
      message: "subject\n\nbody\n",
      author: "Ada x <ada@example.com>",
      committedAt: 1000,
    });
  });

  it("are read with merges, time zones and signatures", () => {
    const text = [
      `tree ${oid("1")}`,
      `parent ${oid("2")}`,
      `parent ${oid("3")}`,
      "author Ää <a@b> 10 +0200",
      "committer C <c@d> 20 -0330",
      "gpgsig -----BEGIN SSH SIGNATURE-----",
      " parent nonsense",
      " -----END SSH SIGNATURE-----",
      "",
      "parent of all\n",
    ].join("\n");
    expect(parseCommit(oid("c"), Buffer.from(text))).toMatchObject({
      parents: [oid("2"), oid("3")],
      author: "Ää <a@b>",
      committedAt: 20_000,
      message: "parent of all\n",
    });
  });
});

describe("paths", () => {
  it("fall into their components", () => {
    expect(splitPath("apps/.gitignore/...")).toEqual(["apps", ".gitignore", "..."]);
  });

  it.each([".git", "a/.Git/x", "git~1/x", ".git./x", "a/../b", "/a", "a/", "a//b", "."])("%j is refused", (path) => {
    expect(() => splitPath(path)).toThrow(expect.objectContaining({ code: "git-path-unsafe" }));
  });
});

describe("the object store", () => {
  const blob = (size: number) => ({ type: "blob" as const, data: Buffer.alloc(size) });

  it("forgets what was not used for the longest time", () => {
    const store = new ObjectStore(3600);
    for (const id of ["a", "b", "c"]) store.put(id, blob(1000));
    store.get("a");
    store.put("d", blob(1000));
    expect(["a", "b", "c", "d"].map((id) => store.get(id) !== undefined)).toEqual([true, false, true, true]);
  });

  it("never grows beyond its bytes, nor takes what would fill it alone", () => {
    const store = new ObjectStore(5000);
    store.put("large", blob(5000));
    expect(store.get("large")).toBeUndefined();
    for (let i = 0; i < 100; i++) {
      store.put(`${i}`, blob(i * 10));
      store.put(`${i}`, blob(i * 10));
      expect(store.bytes).toBeLessThanOrEqual(5000);
    }
  });
});
