import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTekton, type TektonCluster } from "../../src/tekton/cluster.ts";
import { FakeKubernetesApi, type StoredRun } from "../fakes/kubernetes-api.ts";
import { aCluster, tektonDeps } from "./samples.ts";

/** What the bridge answered to each event while it was recorded: `npm run e2e -- --record`. */
interface Row {
  headers: Record<string, string>;
  body: unknown;
  answer: { result: string; reason?: string };
}

let api: FakeKubernetesApi;
let tekton: TektonCluster;

beforeAll(async () => {
  api = await FakeKubernetesApi.start();
  for (const run of recorded<StoredRun>("runs")) api.put(run);
  const kubernetes = { kind: "kubeconfig", file: api.kubeconfigFile, context: undefined } as const;
  tekton = await openTekton(tektonDeps, aCluster({ kubernetes }));
});
afterAll(() => api.close());

it("makes of the events of a real cluster what the bridge made of them there", async () => {
  const rows = recorded<Row>("events");
  expect(rows.length).toBeGreaterThan(0);
  for (const { headers, body, answer } of rows) {
    const reading = await tekton.readEvent({ headers, body }, new AbortController().signal);
    const expected = answer.result === "accepted" ? { kind: "build" } : { kind: answer.result, reason: answer.reason };
    expect(reading, headers["ce-id"]).toMatchObject(expected);
  }
  expect(rows.filter(({ answer }) => answer.result === "accepted")).toHaveLength(3);
});

function recorded<T>(file: string): T[] {
  return readFileSync(new URL(`../golden/e2e/${file}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}
