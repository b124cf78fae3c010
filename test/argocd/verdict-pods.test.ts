import { expect, test } from "vitest";
import type { ApplicationSnapshot, PodState } from "../../src/model/application.ts";
import { argoTime, follow, IMAGE, later, OLD_IMAGE, pod, words } from "./judging.ts";

const settled = (pods: PodState[], more: Partial<ApplicationSnapshot> = {}) =>
  words([
    [0, more, { pods: [pod()] }],
    [30, more, { pods }],
    [31, { ...later(42), ...more }, { pods }],
  ]).at(-1);

test("Pods of the new image that can be read must be ready and must not have restarted", () => {
  expect(settled([pod()])).toBe("healthy");
  expect(settled([pod(), pod({ name: "old", images: [OLD_IMAGE], ready: false, reason: "Terminating" })])).toBe(
    "healthy",
  );
  expect(settled([pod({ ready: false })])).toBe("candidate");
  expect(settled([pod({ restarts: 1 })])).toBe("candidate");
  expect(settled([pod({ restarts: 2 })])).toBe("failed(crashing)");
  expect(settled([pod({ restarts: 1 }), pod({ name: "checkout-2", restarts: 1 })])).toBe("candidate");
});

test("one restart is forgiven after five minutes without another", () => {
  const once = { pods: [pod({ restarts: 1 })] };
  const looks = [
    [0, {}, { pods: [pod()] }],
    [31, {}, once],
    [32, later(42), once],
    [200, later(60), once],
    [340, later(300), once],
  ] satisfies Parameters<typeof words>[0];
  expect(words(looks)).toEqual(["candidate", "candidate", "candidate", "candidate", "healthy"]);
});

test("restarts of Pods that ran our image before the push are not counted", () => {
  const restarted = { pods: [pod({ restarts: 7 })] };
  const baseline = { health: "Healthy", conditions: [], summaryImages: [IMAGE], degraded: [] };
  const looks = [
    [0, {}, restarted],
    [30, {}, restarted],
    [31, later(42), restarted],
  ] as const;
  expect(words(looks, { baseline }).at(-1)).toBe("healthy");
  expect(words([...looks.slice(0, 2), [31, later(42), { pods: [pod({ restarts: 9 })] }]], { baseline }).at(-1)).toBe(
    "failed(crashing)",
  );
  const seen = (restarts: number) => ({ pods: [pod({ restarts })] });
  const creeping = words(
    [
      [0, {}, seen(7)],
      [30, {}, seen(8)],
      [31, later(42), seen(8)],
      [40, later(43), seen(9)],
    ],
    { baseline },
  );
  expect(creeping).toEqual(["candidate", "candidate", "candidate", "failed(crashing)"]);
});

test("one fall with a Pod that does not run is crashing; without Pods, two falls that last two minutes are", () => {
  const down = { health: "Progressing" };
  const broken = { pods: [pod({ ready: false, restarts: 1, reason: "CrashLoopBackOff" })] };
  expect(
    words([
      [0, {}],
      [8, down],
      [9, down, broken],
    ]).at(-1),
  ).toBe("failed(crashing)");
  expect(
    words([
      [0, {}],
      [8, down],
      [9, down],
    ]).at(-1),
  ).toBe("rolling");
  const twice = [
    [0, {}],
    [8, down],
    [12, {}],
    [20, down],
  ] as const;
  expect(words([...twice, [139, down]]).at(-1)).toBe("rolling");
  expect(words([...twice, [141, down]]).at(-1)).toBe("failed(crashing)");
  expect(words([...twice, [100, {}], [131, {}], [132, later(60)]]).at(-1)).toBe("healthy");
});

test("a fall between two looks shows in when the health changed last", () => {
  const since = (seconds: number) => ({ healthSince: argoTime(seconds) });
  const looks = follow([
    [0, since(10)],
    [15, since(24)],
    [30, since(24)],
    [45, { ...since(24), ...later(60) }],
    [46, { ...since(24), ...later(61) }],
  ]);
  expect(looks.map(({ word }) => word)).toEqual(["candidate", "candidate", "candidate", "candidate", "healthy"]);
  expect(looks[1]?.memory.flaps).toBe(1);
});
