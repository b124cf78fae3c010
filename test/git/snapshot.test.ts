import { describe, expect, it } from "vitest";
import { serializeCommit } from "../../src/git/commit.ts";
import { type GitObject, hashObject } from "../../src/git/object.ts";
import { unpack } from "../../src/git/pack-read.ts";
import { writePack } from "../../src/git/pack-write.ts";
import { Snapshot } from "../../src/git/snapshot.ts";

const limits = { objectBytes: 100_000, totalBytes: 1_000_000 };
const who = { name: "a", email: "a@example.com" };
const tree: GitObject = { type: "tree", data: Buffer.alloc(0) };
const treeOid = hashObject("tree", tree.data);

function commitOn(parent: string, message: string): { oid: string; object: GitObject } {
  const data = serializeCommit({ tree: treeOid, parent, message, author: who, committer: who, time: 0 });
  return { oid: hashObject("commit", data), object: { type: "commit", data } };
}

function take(snapshot: Snapshot, wants: string[], objects: GitObject[]): void {
  const pack = writePack(objects);
  snapshot.add(
    wants,
    unpack(pack, limits, () => undefined),
    pack,
  );
}

describe("a snapshot", () => {
  const parent = commitOn("1".repeat(40), "parent");
  const child = commitOn(parent.oid, "child");

  it("gives back what it took, and names the commits whose parents it lacks", () => {
    const snapshot = new Snapshot();
    expect(snapshot.empty).toBe(true);
    take(snapshot, [child.oid], [child.object, tree]);
    expect(snapshot.object(treeOid)).toEqual(tree);
    expect(snapshot.commit(child.oid)).toMatchObject({ message: "child\n", parents: [parent.oid] });
    expect([snapshot.tips(), snapshot.boundary()]).toEqual([[child.oid], [child.oid]]);
    take(snapshot, [], [parent.object]);
    expect([snapshot.tips(), snapshot.boundary()]).toEqual([[child.oid], [parent.oid]]);
  });

  it("counts a commit made here as whole only when it was made on a whole one", () => {
    const snapshot = new Snapshot();
    snapshot.keep(child.oid, child.object);
    expect(snapshot.commit(child.oid)).toBeUndefined();
    take(snapshot, [parent.oid], [parent.object, tree]);
    snapshot.keep(child.oid, child.object);
    expect(snapshot.commit(child.oid)?.oid).toBe(child.oid);
    expect(snapshot.tips()).toEqual([parent.oid, child.oid]);
  });

  it("names only the last of many commits, and grows by what it takes", () => {
    const snapshot = new Snapshot();
    take(snapshot, [parent.oid], [parent.object, tree]);
    let last = parent.oid;
    for (let i = 0; i < 100; i++) {
      const before = snapshot.bytes;
      const { oid, object } = commitOn(last, `${i}`);
      snapshot.keep(oid, object);
      expect(snapshot.bytes).toBeGreaterThan(before + 100);
      last = oid;
    }
    expect(snapshot.tips()).toHaveLength(32);
    expect(snapshot.tips().at(-1)).toBe(last);
  });
});
