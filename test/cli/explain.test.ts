import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { pairs } from "../argocd/recordings.ts";
import { runCli } from "./run-cli.ts";

const IMAGE = "127.0.0.1:5000/shop/web:1.0.1";
const COMMIT = "31434e6d71c10b698041ecdd126184c97380b257";
const recording = (id: string): string =>
  gunzipSync(readFileSync(new URL(`../golden/argocd/recordings/${id}.jsonl.gz`, import.meta.url))).toString("utf8");
const versions = recording("a")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as { t: string; object: object });
const last = versions.at(-1)?.object ?? {};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gitspan-explain-"));
});
afterAll(async () => rm(folder, { recursive: true }));

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const ask = (args: string[], input?: string) => runCli(["explain", ...args], input === undefined ? {} : { input });
const lines = (text: string) => text.split("\n").filter((line) => line !== "");

test("one Application is judged as it is, with the evidence", async () => {
  const { code, stdout } = await ask(
    ["--application", "-", "--commit", COMMIT, "--image", IMAGE],
    JSON.stringify(last),
  );
  expect(code).toBe(0);
  expect(lines(stdout)[0]).toBe("candidate: healthy; has to stay so");
  expect(stdout).toMatch(/status\.sync\.revision +31434e6d\S+ +covers the commit and holds its values/);
});

test("YAML, the beginning of a commit id and every form of output are understood", async () => {
  const yaml = await file("app.yaml", stringify(last));
  const args = ["--application", yaml, "--commit", COMMIT.slice(0, 7), "--image", IMAGE, "-o"];
  expect((await ask([...args, "name"])).stdout).toBe("candidate\n");
  expect(JSON.parse((await ask([...args, "json"])).stdout)).toMatchObject({ state: "candidate" });
  expect((await ask([...args, "yaml"])).stdout).toMatch(/^state: candidate$/m);
});

test("history, Pods and the state before the push are taken from files", async () => {
  const [first] = versions;
  const older = "a0482be4ea2000f0513edd81be3002d5b523c01c";
  const args = [
    "--commit",
    COMMIT,
    "--image",
    IMAGE,
    "-o",
    "name",
    "--application",
    await file("first.json", first?.object),
  ];
  expect((await ask(args)).stdout).toBe("unknown\n");
  expect((await ask([...args, "--history", await file("log", `${COMMIT}\n${older} subject\n`)])).stdout).toBe(
    "pushed\n",
  );
  expect((await ask([...args, "--history", await file("log.json", [older])])).stdout).toBe("failed(lost)\n");
  const pods = await file("pods.json", [{ name: "web-1", image: IMAGE, ready: true, restarts: 3 }]);
  const now = ["--commit", COMMIT, "--image", IMAGE, "-o", "name", "--application", await file("last.json", last)];
  const crashing = await ask([...now, "--pods", pods]);
  expect([crashing.code, crashing.stdout]).toEqual([1, "failed(crashing)\n"]);
  const same = await file("baseline.json", last);
  expect((await ask([...now, "--pods", pods, "--baseline", same])).stdout).toBe("candidate\n");
});

test("a recording is run on its own clock, and every change of the verdict printed", async () => {
  const path = await file("a.jsonl", recording("a"));
  const args = ["--replay", path, "--commit", COMMIT, "--image", IMAGE, "--history", await file("h", COMMIT)];
  const { code, stdout } = await ask(args);
  expect(code).toBe(0);
  expect(lines(stdout).map((line) => line.split("  ")[1])).toEqual([
    "pushed",
    "syncing",
    "rolling",
    "candidate",
    "healthy",
  ]);
  const last = lines((await ask([...args, "-o", "json", "--settle", "1m"])).stdout).at(-1) ?? "";
  expect(JSON.parse(last)).toMatchObject({ state: "healthy", at: "2026-11-22T18:30:22.928Z" });
});

test("of several recorded Applications one has to be named", async () => {
  const path = await file("m.jsonl", recording("m"));
  const args = ["--replay", path, "--commit", "b78d838", "--image", "127.0.0.1:5000/shop/api:1.0.1", "-o", "name"];
  const refused = await ask(args);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/has the Applications .*api-dev.*--name/s)]);
  expect(lines((await ask([...args, "--name", "api-dev"])).stdout).at(-1)).toBe("healthy");
});

test("many questions are answered line by line, whatever becomes of the others", async () => {
  const snapshots = versions.map(({ t, object }) => ({ t, application: object }));
  const question = { snapshots, commit: COMMIT, history: [COMMIT], images: { new: [IMAGE], old: [] } };
  const input = [
    { id: 1, ...question },
    { id: 2, ...question, snapshots: [{ t: 5, application: last }] },
    { id: 3, ...question, snapshots: [] },
    { id: 4, ...question, commit: undefined },
    { id: 5, ...question, snapshots: [{ t: "soon", application: last }] },
    { id: 6, ...question, pods: [{ t: versions[0]?.t, name: "w", image: IMAGE, ready: true, restarts: 2 }] },
    { id: 7, ...question, images: {} },
  ];
  const { code, stdout, stderr } = await ask(["--batch"], input.map((line) => `${JSON.stringify(line)}\n`).join(""));
  expect(code).toBe(0);
  expect(stderr).toBe("gitspan: 3 of 7 were not judged\n");
  expect(lines(stdout).map((line) => JSON.parse(line) as unknown)).toEqual([
    { id: 1, state: "healthy", reason: null, at: "2026-11-22T18:29:51.017Z" },
    { id: 2, state: "healthy", reason: null, at: expect.any(Number) as number },
    ...[3, 4, 5].map((id) => ({ id, error: expect.objectContaining({ code: "bad-request" }) as object })),
    { id: 6, state: "failed", reason: "crashing", at: expect.any(String) as string },
    { id: 7, state: "unknown", reason: null, at: expect.any(String) as string },
  ]);
});

test("a comparison that is older than the last operation, or that nobody makes, does not become fresh by standing", async () => {
  const status = {
    sync: { status: "Synced", revision: COMMIT },
    health: { status: "Healthy" },
    reconciledAt: "2026-01-01T00:00:05Z",
    operationState: { phase: "Succeeded", finishedAt: "2026-01-01T00:00:10Z", syncResult: { revision: COMMIT } },
    summary: { images: [IMAGE] },
  };
  const stateOf = async (application: object) => {
    const line = {
      snapshots: [{ t: 0, application }],
      commit: COMMIT,
      history: [COMMIT],
      images: { new: [IMAGE], old: [] },
    };
    return JSON.parse((await ask(["--batch"], JSON.stringify(line))).stdout) as { state: string };
  };
  expect((await stateOf({ status })).state).toBe("rolling");
  expect((await stateOf({ status: { ...status, reconciledAt: undefined } })).state).toBe("rolling");
  const fresh = { ...status, reconciledAt: "2026-01-01T00:00:11Z" };
  expect((await stateOf({ status: fresh })).state).toBe("healthy");
  const asked = { annotations: { "argocd.argoproj.io/refresh": "normal" } };
  expect((await stateOf({ status: fresh, metadata: asked })).state).toBe("candidate");
});

test("every recorded change is answered as it is judged elsewhere", async () => {
  const input = pairs
    .filter(({ scenario }) => ["b", "d", "s", "u"].includes(scenario))
    .map(({ scenario, app, sha, image, pushedAt }) => {
      const all = lines(recording(scenario)).map(
        (line) => JSON.parse(line) as { t: string; name: string; object: object },
      );
      const snapshots = all.flatMap(({ t, name, object }) => (name === app ? [{ t, application: object }] : []));
      const until =
        pairs.find((other) => other.scenario === scenario && other.pushedAt > pushedAt)?.pushedAt ?? Infinity;
      return {
        id: sha.slice(0, 7),
        snapshots: snapshots.filter(({ t }) => Date.parse(t) < until),
        commit: sha,
        history: pairs
          .filter((pair) => pair.scenario !== "s")
          .toReversed()
          .map((pair) => pair.sha),
        images: { new: [image] },
        pushedAt: new Date(pushedAt).toISOString(),
      };
    });
  const { stdout } = await ask(["--batch"], input.map((line) => JSON.stringify(line)).join("\n"));
  const words = lines(stdout).map((line) => {
    const { id, state, reason } = JSON.parse(line) as Record<string, string | null>;
    return `${id} ${state}${reason === null ? "" : `(${reason})`}`;
  });
  expect(words).toEqual([
    "e2799b3 failed(degraded)",
    "79edc8f healthy",
    "8c23bb1 failed(render)",
    "fc47509 healthy",
    "f6951e1 failed(lost)",
    "e4c9d6b healthy",
  ]);
});

test.each([
  [["--commit", COMMIT], "no Application"],
  [["--application", "-"], "no commit"],
  [["--batch", "--commit", COMMIT], "--batch takes no question"],
  [["--application", "/nowhere", "--commit", COMMIT], "cannot be read"],
  [["--application", "-", "--commit", COMMIT, "--image", "a b"], "--image a b"],
  [["--application", "-", "--replay", "x", "--commit", COMMIT], "cannot be used with"],
])("%j is refused: %s", async (args, why) => {
  const { code, stdout, stderr } = await ask(args, "{}");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(why);
});

test("input that is neither JSON nor YAML, or no Application, is refused", async () => {
  const args = ["--application", "-", "--commit", COMMIT];
  expect(await ask(args, "{")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("neither JSON nor YAML") as string,
  });
  expect(await ask(args, "[]")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("must be an Application") as string,
  });
  expect(await ask(["--replay", "-", "--commit", COMMIT], "x\n")).toMatchObject({ code: 2 });
});
