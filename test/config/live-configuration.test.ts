import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Configuration } from "../../src/config/configuration.ts";
import { LiveConfiguration } from "../../src/config/live-configuration.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { VirtualClock } from "../argocd/virtual-clock.ts";

const FILE = "/etc/gitspan/gitspan.yaml";
const TEXT = `apiVersion: gitspan.dev/v1alpha1
kind: Bridge
listen: 127.0.0.1:8484
database: {urlEnv: DATABASE_URL}
repositories:
  gitops: {url: https://git.example.com/gitops}
environments: {dev: {}}
apps:
  checkout:
    images: {checkout: registry.example.com/checkout}
    targets: {dev: {kustomize: overlays/dev}}
`;
const MOVED = TEXT.replace("overlays/dev", "overlays/development");
const BROKEN = TEXT.replace("listen:", "lisen:");

let clock: VirtualClock;
let file: string | Error;
let applied: Configuration[];
let logged: string[];
let failure: Error | undefined;
let hint: () => void;
let stop: AbortController;
let live: LiveConfiguration;
let following: Promise<void>;

beforeEach(() => {
  clock = new VirtualClock();
  file = TEXT;
  applied = [];
  logged = [];
  failure = undefined;
  stop = new AbortController();
  let hinted = Promise.withResolvers<void>();
  hint = () => {
    hinted.resolve();
    hinted = Promise.withResolvers();
  };
  stop.signal.addEventListener("abort", () => hint());
  live = new LiveConfiguration(
    {
      clock,
      log: { info: (message) => logged.push(message), error: (message) => logged.push(message) },
      async read() {
        if (file instanceof Error) throw file;
        return file;
      },
      async *hints() {
        while (!stop.signal.aborted) {
          await hinted.promise;
          yield undefined;
        }
      },
      async apply(next) {
        if (failure !== undefined) throw failure;
        applied.push(next);
      },
    },
    { configuration: loadConfiguration(TEXT, FILE), text: TEXT },
  );
  following = live.follow(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await following;
});

/** Lets everything happen that happens within so many milliseconds. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    await turn();
    clock.advance(50);
  }
  await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe("a configuration file that changes", () => {
  it("is taken up within seconds, once", async () => {
    await pass(5_000);
    expect(applied).toEqual([]);
    file = MOVED;
    await pass(5_000);
    expect(applied.map(({ targets }) => targets[0]?.places[0])).toMatchObject([{ directory: "overlays/development" }]);
    expect(live.current).toBe(applied[0]);
    expect(live.check()).toMatchObject({ ok: true, advisory: true });
  });

  it("is taken up at once when the system tells of it", async () => {
    await pass(100);
    file = MOVED;
    hint();
    await pass(500);
    expect(applied).toHaveLength(1);
  });

  it("is not taken up while it is being written", async () => {
    await pass(1_900);
    for (const length of [10, 40, 80, 120]) {
      file = MOVED.slice(0, length);
      await pass(200);
    }
    file = MOVED;
    await pass(1_000);
    expect(logged).toEqual(["the configuration was read again"]);
    expect(applied).toHaveLength(1);
  });
});

describe("a broken configuration file", () => {
  it("leaves the last good one in force, is said with its place once, and forgotten when it is repaired", async () => {
    file = BROKEN;
    await pass(10_000);
    expect(live.check()).toMatchObject({ name: "configuration", ok: false, advisory: true });
    expect(live.check().detail).toContain(`${FILE}:3:1: lisen: unknown key (did you mean "listen"?)`);
    expect(logged).toEqual(["the configuration is broken, the last good one stays in force"]);
    expect(applied).toEqual([]);
    file = TEXT;
    await pass(3_000);
    expect(live.check()).toMatchObject({ ok: true });
  });

  it("may also be one that is gone", async () => {
    file = new Error("ENOENT: no such file");
    await pass(3_000);
    expect(live.check().detail).toContain("ENOENT");
    expect(live.current.targets).toHaveLength(1);
  });

  it("may need something that comes later: it is tried again without being touched", async () => {
    file = MOVED;
    failure = new Error("ENOENT: ca.pem");
    await pass(3_000);
    expect(live.check().detail).toContain("ca.pem");
    failure = undefined;
    await pass(3_000);
    expect(live.check()).toMatchObject({ ok: true });
    expect(applied).toHaveLength(1);
    expect(logged).toHaveLength(2);
  });
});

describe("a change that cannot come into force while the bridge runs", () => {
  it("is named until it is taken back, and the rest comes into force", async () => {
    file = MOVED.replace("127.0.0.1:8484", "0.0.0.0:8484").replace("DATABASE_URL", "OTHER_URL");
    await pass(3_000);
    expect(live.check().detail).toMatch(/is in force, but changes of listen, database need a restart$/);
    expect(applied).toHaveLength(1);
    file = MOVED;
    await pass(3_000);
    expect(live.check()).toMatchObject({ ok: true });
  });
});

describe("a reload that was asked for", () => {
  it("applies the file although it is unchanged: what it points to may have changed", async () => {
    await live.reload();
    expect(applied).toHaveLength(1);
  });
});
