/** An independent reader and writer of Git's formats judges ours: isomorphic-git. */
import * as fs from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as iso from "isomorphic-git";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCommit, serializeCommit } from "../../src/git/commit.ts";
import { hashObject, type ObjectType } from "../../src/git/object.ts";
import { readPack } from "../../src/git/pack-read.ts";
import { writePack } from "../../src/git/pack-write.ts";
import { buildTree, putEntry, treeEntries } from "../../src/git/tree.ts";

const limits = { objectBytes: 1_000_000, totalBytes: 10_000_000 };
const person = { name: "Ada Lovelace", email: "ada@example.com" };

describe("the other library", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "gitspan-iso-"));
    await iso.init({ fs, dir });
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it("reads the packs and every kind of object that we write", async () => {
    const blob = Buffer.from("newTag: 1.0.1\n");
    const blobOid = hashObject("blob", blob);
    const tree = putEntry(buildTree([{ mode: "100755", name: "run.sh", oid: blobOid }]), "app.yaml", blobOid);
    const parent = "1".repeat(40);
    const meta = { tree: hashObject("tree", tree), parent, message: "deploy\n\nbody ä\n" };
    const commit = serializeCommit({ ...meta, author: person, committer: person, time: 1_750_000_000_000 });
    const objects: { type: ObjectType; data: Buffer }[] = [
      { type: "blob", data: blob },
      { type: "tree", data: tree },
      { type: "commit", data: commit },
    ];
    await writeFile(join(dir, ".git/objects/pack/pack-ours.pack"), writePack(objects));
    const { oids } = await iso.indexPack({ fs, dir, filepath: ".git/objects/pack/pack-ours.pack" });
    expect(oids.toSorted()).toEqual(objects.map(({ type, data }) => hashObject(type, data)).toSorted());
    const read = await iso.readCommit({ fs, dir, oid: hashObject("commit", commit) });
    const who = { ...person, timestamp: 1_750_000_000 };
    expect(read.commit).toMatchObject({ tree: meta.tree, parent: [parent], message: meta.message, author: who });
    expect((await iso.readTree({ fs, dir, oid: meta.tree })).tree).toEqual([
      { mode: "100644", path: "app.yaml", oid: blobOid, type: "blob" },
      { mode: "100755", path: "run.sh", oid: blobOid, type: "blob" },
    ]);
    expect(Buffer.from((await iso.readBlob({ fs, dir, oid: blobOid })).blob)).toEqual(blob);
  });

  it("writes packs and objects that we read", async () => {
    const names = ["apps", "apps-x", "apps.yaml", "apps0", "zz"];
    const blobs = await Promise.all(names.map((name) => iso.writeBlob({ fs, dir, blob: Buffer.from(`${name}\n`) })));
    const entries = names.map((path, index) => ({
      mode: "100644",
      path,
      oid: blobs[index] ?? "",
      type: "blob" as const,
    }));
    const inner = await iso.writeTree({ fs, dir, tree: entries });
    const root = entries.map((entry) =>
      entry.path === "apps" ? { ...entry, mode: "040000", oid: inner, type: "tree" as const } : entry,
    );
    const tree = await iso.writeTree({ fs, dir, tree: root });
    const who = { ...person, timestamp: 1_750_000_000, timezoneOffset: -120 };
    const oid = await iso.commit({ fs, dir, message: "made elsewhere", tree, author: who, committer: who, parent: [] });
    const { filename } = await iso.packObjects({ fs, dir, oids: [oid, tree, inner, ...blobs], write: true });
    const pack = await readFile(join(dir, ".git/objects/pack", filename));
    const objects = readPack(pack, limits, () => undefined);
    expect([...objects.keys()].toSorted()).toEqual([oid, tree, inner, ...blobs].toSorted());
    const commit = parseCommit(oid, objects.get(oid)?.data ?? Buffer.of());
    expect(commit).toMatchObject({ tree, parents: [], message: "made elsewhere\n", committedAt: 1_750_000_000_000 });
    const ours = root.map(({ mode, path, oid: id }) => ({ mode: mode.replace(/^0/, ""), name: path, oid: id }));
    const data = objects.get(tree)?.data ?? Buffer.of();
    expect(treeEntries(data).map(({ name }) => name.toString())).toEqual([
      "apps-x",
      "apps.yaml",
      "apps",
      "apps0",
      "zz",
    ]);
    expect(buildTree(ours)).toEqual(data);
  });
});
