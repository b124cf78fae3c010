/**
 * A process of its own, so that what it costs is not counted: an API server with many Applications, their watch, and
 * the REST calls that gitspan makes. It compares all of them all the time and deploys what it is told to.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ApplicationState, applicationObject, imageOf } from "./argocd-object.ts";

export type Order = { deploy: number; revision: string; tag: string } | { eventsPerSecond: number };
/** Milliseconds of the shared clock at which the event went out that completes the proof. */
export type Report = { url: string } | { decided: number; at: number } | { requests: Record<string, number> };

const [count = "0"] = process.argv.slice(2);
const states: ApplicationState[] = [];
const watches = new Set<ServerResponse>();
const requests: Record<string, number> = {};
let version = 1_000_000;
let rate = 0;

const now = (): number => performance.timeOrigin + performance.now();
const stamp = (ms = now()): string => new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
const report = (message: Report): void => void process.send?.(message);
const sleep = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

for (let number = 0; number < Number(count); number++) {
  const revision = "0".repeat(40);
  const at = stamp(now() - 3_600_000);
  const operation = { phase: "Succeeded", revision, startedAt: at, finishedAt: at };
  const images = [imageOf(number, "1.0.0")];
  states.push({
    number,
    version,
    revision,
    sync: "Synced",
    health: "Healthy",
    images,
    reconciledAt: at,
    healthSince: at,
    operation,
  });
}

function put(number: number, change: Partial<ApplicationState>): void {
  const state = states[number];
  if (state === undefined) return;
  Object.assign(state, change, { version: ++version });
  const line = `${JSON.stringify({ type: "MODIFIED", object: applicationObject(state) })}\n`;
  for (const watch of watches) watch.write(line);
}

async function deploy(number: number, revision: string, tag: string): Promise<void> {
  const startedAt = stamp();
  put(number, {
    revision,
    sync: "OutOfSync",
    reconciledAt: stamp(),
    operation: { phase: "Running", revision, startedAt },
  });
  await sleep(50);
  const old = states[number]?.images ?? [];
  put(number, {
    operation: { phase: "Succeeded", revision, startedAt, finishedAt: stamp() },
    images: [...old, imageOf(number, tag)],
  });
  await sleep(1_050);
  put(number, { sync: "Synced", health: "Progressing", healthSince: stamp(), reconciledAt: stamp() });
  await sleep(200);
  put(number, { health: "Healthy", healthSince: stamp(), images: [imageOf(number, tag)] });
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const json = (body: unknown): void => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(body));
  };
  const tally = (what: string): void => void (requests[what] = (requests[what] ?? 0) + 1);
  if (url.pathname.startsWith("/apis/")) {
    if (url.searchParams.get("watch") === "true") {
      tally("watch");
      response.flushHeaders();
      watches.add(response);
      response.on("close", () => watches.delete(response));
      return;
    }
    tally("list page");
    const start = Number(url.searchParams.get("continue") ?? 0);
    const end = start + Number(url.searchParams.get("limit") ?? 500);
    const more = end < states.length ? { continue: String(end) } : {};
    return json({
      metadata: { resourceVersion: String(version), ...more },
      items: states.slice(start, end).map((state) => applicationObject(state)),
    });
  }
  const [, name = "", rest] = /^\/api\/v1\/applications\/app-(\d+)(\/.*)?$/.exec(url.pathname) ?? [];
  const number = Number(name);
  if (rest === "/resource-tree") {
    tally("resource tree");
    const info = [
      { name: "Status Reason", value: "Running" },
      { name: "Containers", value: "1/1" },
    ];
    return json({ nodes: [{ kind: "Pod", name: `app-${number}-x`, images: states[number]?.images, info }] });
  }
  tally("refresh");
  // In the second after, as a comparison that takes its time: the stamp has moved by then.
  setTimeout(() => {
    if (states[number]?.health === "Healthy") report({ decided: number, at: now() });
    put(number, { reconciledAt: stamp() });
    json({});
  }, 1_000);
});

process.on("message", (order: Order) => {
  if ("eventsPerSecond" in order) rate = order.eventsPerSecond;
  else void deploy(order.deploy, order.revision, order.tag);
  report({ requests });
});
process.on("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => report({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));

let next = 0;
setInterval(() => {
  // Those that are deployed are among the first.
  for (let sent = 0; sent < rate / 10; sent++)
    put(1_000 + (next++ % Math.max(1, states.length - 1_000)), { reconciledAt: stamp() });
}, 100);
