import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../../src/ambient.ts";
import { type Holder, tryLock } from "../../../src/store/embedded/lock.ts";

const holder: Holder = { pid: 1, host: "here", purpose: "serve" };

describe("directory lock", () => {
  let directory: string;
  const { signal } = new AbortController();
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "gitspan-lock-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("is held by one at a time, who is named to the others", async () => {
    const first = await tryLock(systemAmbient, { directory, holder, signal });
    expect(first.kind).toBe("locked");
    const second = await tryLock(systemAmbient, { directory, holder: { ...holder, pid: 2 }, signal });
    expect(second).toMatchObject({ kind: "held", by: holder });
    if (first.kind === "locked") await first.lock.release();
    expect(await readdir(directory)).toEqual([]);
    expect((await tryLock(systemAmbient, { directory, holder, signal })).kind).toBe("locked");
  });

  it("is won by exactly one of many who try at once", async () => {
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          tryLock(systemAmbient, { directory, holder: { ...holder, pid: i }, signal }),
        ),
      );
      const won = results.filter((result) => result.kind === "locked");
      expect(won).toHaveLength(1);
      for (const result of won) await result.lock.release();
    }
  });

  it("takes no notice of what dead processes left, and clears it away", async () => {
    await writeFile(join(directory, "lock-000001"), "");
    await writeFile(join(directory, "other"), "");
    const result = await tryLock(systemAmbient, { directory, holder, signal });
    expect(result.kind).toBe("locked");
    const names = await readdir(directory);
    expect(names).not.toContain("lock-000001");
    expect(names).toContain("other");
  });

  it("takes a process that answers with nonsense for a holder", async () => {
    const server = createServer((socket) => socket.end("?"));
    await new Promise<void>((resolve) => server.listen(join(directory, "lock-000002"), resolve));
    expect(await tryLock(systemAmbient, { directory, holder, signal })).toEqual({ kind: "held", by: undefined });
    server.close();
  });
});
