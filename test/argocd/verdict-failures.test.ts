import { expect, test } from "vitest";
import { argoTime, follow, OLD_IMAGE, OLDER, operation, words } from "./judging.ts";

const degraded = { health: "Degraded" };
const error = { type: "ComparisonError", message: "rpc error: code = Unknown desc = `kustomize build` failed" };
const broken = {
  sync: "Unknown",
  revisions: ["main"],
  conditions: [error],
  operation: operation({ revisions: [OLDER] }),
  summaryImages: [OLD_IMAGE],
};
const before = { ...broken, sync: "Synced", revisions: [OLDER], conditions: [] };
const later = (seconds: number) => ({ reconciledAt: argoTime(seconds) });

test("degraded fails after 45 seconds without a break and one more comparison", () => {
  const looks = words([
    [0, degraded],
    [44, degraded],
    [45, degraded],
    [46, { ...degraded, ...later(60) }],
  ]);
  expect(looks).toEqual(["rolling", "rolling", "rolling", "failed(degraded)"]);
  const settings = { settleMs: 1_000, timeoutMs: 600_000, degradedMs: 2_000 };
  expect(
    words(
      [
        [0, degraded],
        [2, degraded],
        [3, { ...degraded, ...later(60) }],
      ],
      { settings },
    ).at(-1),
  ).toBe("failed(degraded)");
});

test("a break in being degraded starts its time again", () => {
  const looks = words([
    [0, degraded],
    [40, { health: "Progressing" }],
    [41, degraded],
    [60, degraded],
    [61, { ...degraded, ...later(60) }],
  ]);
  expect(looks.at(-1)).toBe("rolling");
});

test("what was degraded before the push is not blamed on it, unless it had recovered", () => {
  const baseline = { health: "Degraded", conditions: [], summaryImages: [], degraded: ["CronJob/shop/nightly"] };
  const end = [
    [45, degraded],
    [46, { ...degraded, ...later(60) }],
  ] as const;
  expect(words([[0, degraded], ...end], { baseline }).at(-1)).toBe("unknown");
  expect(
    words([[0, { health: "Progressing" }], [0.5, degraded], ...end.map(([s, d]) => [s + 1, d] as const)], {
      baseline,
    }).at(-1),
  ).toBe("failed(degraded)");
});

test("a resource that was not degraded before makes it ours", () => {
  const baseline = { health: "Degraded", conditions: [], summaryImages: [], degraded: ["CronJob/shop/nightly"] };
  const resource = { namespace: "shop", sync: "Synced", health: "Degraded" };
  const known = { ...degraded, resources: [{ ...resource, kind: "CronJob", name: "nightly" }] };
  const ours = { ...degraded, resources: [...known.resources, { ...resource, kind: "Deployment", name: "checkout" }] };
  const looks = (state: object) =>
    words(
      [
        [0, state],
        [45, state],
        [46, { ...state, ...later(60) }],
      ],
      { baseline },
    ).at(-1);
  expect(looks(known)).toBe("unknown");
  expect(looks(ours)).toBe("failed(degraded)");
});

test("degraded without an operation of ours is not ours", () => {
  const adopted = { ...degraded, operation: operation({ revisions: [OLDER] }) };
  expect(
    words([
      [0, adopted],
      [45, adopted],
      [50, { ...adopted, ...later(60) }],
    ]).at(-1),
  ).toBe("unknown");
});

test("falling back from ready three times without a sync is crashing, twice may be an autoscaler", () => {
  const progressing = { health: "Progressing" };
  const twice = [
    [0, {}],
    [8, progressing],
    [12, {}],
    [20, progressing],
    [24, {}],
  ] as const;
  expect(words(twice).at(-1)).toBe("candidate");
  expect(words([...twice, [30, progressing]]).at(-1)).toBe("failed(crashing)");
});

test("falling back because somebody synced is no crash", () => {
  const again = (start: number) => ({ health: "Progressing", operation: operation({ startedAt: argoTime(start) }) });
  const ready = (start: number) => ({ operation: operation({ startedAt: argoTime(start) }) });
  const looks = words([
    [0, ready(1)],
    [1, again(2)],
    [2, ready(2)],
    [3, again(3)],
    [4, ready(3)],
    [5, again(4)],
    [6, ready(4)],
  ]);
  expect(looks.at(-1)).toBe("candidate");
});

test("a manifest error fails once a comparison asked for after its first sight shows it again", () => {
  const looks = follow([
    [0, before],
    [1, { ...broken, ...later(20) }],
    [3, { ...broken, ...later(20) }],
    [4, { ...broken, ...later(23) }],
  ]);
  expect(looks.map(({ word }) => word)).toEqual(["pushed", "pushed", "pushed", "failed(render)"]);
  expect(looks.map(({ refresh }) => refresh)).toEqual([true, false, true, false]);
  expect(looks.at(-1)?.verdict.message).toContain("kustomize build");
});

test("a manifest error that was there before the push is not ours", () => {
  const baseline = { health: "Healthy", conditions: ["ComparisonError"], summaryImages: [], degraded: [] };
  const looks = words(
    [
      [0, broken],
      [1, { ...broken, ...later(20) }],
      [9, { ...broken, ...later(30) }],
    ],
    { baseline },
  );
  expect(new Set(looks)).toEqual(new Set(["unknown"]));
});

test("a manifest error after our commit had been rendered is somebody else's", () => {
  const looks = words([
    [0, { health: "Progressing" }],
    [1, { ...broken, ...later(20) }],
    [9, { ...broken, ...later(30) }],
  ]);
  expect(looks).toEqual(["rolling", "unknown", "unknown"]);
});

test("a repository that cannot be reached is not a manifest error", () => {
  const conditions = [
    { type: "ComparisonError", message: "rpc error: code = Unavailable desc = dial tcp: connection refused" },
  ];
  const unreachable = { ...broken, conditions };
  const looks = words([
    [0, before],
    [1, { ...unreachable, ...later(20) }],
    [9, { ...unreachable, ...later(30) }],
  ]);
  expect(looks.slice(1)).toEqual(["unknown", "unknown"]);
});

test("several versions at one look count one after another, and the refresh is asked for after the last", () => {
  const looks = follow([
    [0, before],
    [0, { ...before, ...later(12) }],
    [0, { ...before, ...later(13) }],
  ]);
  expect(looks.at(-1)?.refresh).toBe(true);
  expect(looks.at(-1)?.memory.refreshReconciledAt).toBe(argoTime(13));
});

test("the memory survives being stored as JSON", () => {
  for (const { memory } of follow([
    [0, before],
    [1, {}],
    [2, degraded],
    [3, broken],
  ])) {
    expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
  }
});
