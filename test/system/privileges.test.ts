import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { type Installation, install, run, type Serving, serve } from "./installation.ts";

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };
const PATIENCE_MS = 180_000;

if (!isRoot) console.warn("skipped: starting PostgreSQL as another user needs root (run: sudo npm run test:system)");

describe("the embedded PostgreSQL and the rights on directories", () => {
  let directory: string;
  let closed: Installation;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "gitspan-rights-"));
    await chmod(directory, 0o755);
    closed = await install(join(directory, "home/gitspan"), "src", { closed: true });
  }, PATIENCE_MS);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** A configuration and a data directory outside of any installation. */
  async function place(name: string): Promise<{ configFile: string; data: string }> {
    const folder = join(directory, name);
    await mkdir(folder);
    await chmod(folder, 0o755);
    const data = join(folder, "new/data");
    const configFile = join(folder, "gitspan.yaml");
    await writeFile(
      configFile,
      stringify({
        apiVersion: "gitspan.dev/v1alpha1",
        kind: "Bridge",
        listen: "127.0.0.1:0",
        database: { embedded: data },
        repositories: { gitops: { url: "https://git.example.com/platform/gitops.git" } },
        access: [],
      }),
    );
    await chmod(configFile, 0o644);
    return { configFile, data };
  }

  async function expectWorking(starting: Promise<Serving>): Promise<void> {
    const serving = await starting;
    onTestFinished(async () => void (await serving.stop()));
    expect((await fetch(`${serving.address}/readyz`)).status).toBe(200);
    const ended = await serving.stop();
    expect(ended.code, ended.stderr).toBe(0);
  }

  it("starts from an installation that only the installing user can enter, as a clone in root's home is", async () => {
    const { configFile, data } = await place("own");
    await expectWorking(serve(closed, configFile));
    await expectWorking(serve(closed, configFile));
    // PostgreSQL's user gets the programs as a copy; whoever can read them himself needs none.
    expect((await readdir(data)).includes("postgresql")).toBe(isRoot);
  });

  it.runIf(isRoot)("starts as an unprivileged user, and then for root with the same data", async () => {
    const open = await install(join(directory, "open"), "src");
    const { configFile, data } = await place("nobody");
    await chown(join(directory, "nobody"), NOBODY.uid, NOBODY.gid);
    await expectWorking(serve(open, configFile, NOBODY));
    expect(await readdir(data)).not.toContain("postgresql");
    await expectWorking(serve(closed, configFile));
    await expectWorking(serve(open, configFile, NOBODY));
  });

  it.runIf(isRoot)("says which directory is closed when the data itself is out of reach", async () => {
    const { configFile } = await place("unreachable");
    await chmod(join(directory, "unreachable"), 0o700);
    const ended = await run(closed, ["serve", "--config", configFile]);
    expect(ended.code).toBe(6);
    expect(ended.stderr).toContain(`cannot enter ${join(directory, "unreachable")}`);
    expect(ended.stderr).toContain("chmod o+x");
  });
});
