import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ApplicationOperation, ApplicationSnapshot, Inspection, PodState } from "../../src/model/application.ts";
import type { Baseline, Verdict, VerdictMemory } from "../../src/model/observation.ts";
import {
  argoTime,
  FOREIGN,
  IMAGE,
  judgeInput,
  judgeInspecting,
  LATER,
  OLD_IMAGE,
  OLDER,
  OURS,
  operation,
  PUSHED_AT,
  snapshot,
} from "./judging.ts";

/** Good states come often enough that sequences get somewhere. */
const mostly = <T>(good: T, ...others: T[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: fc.constantFrom(good, ...others) });

const pods = fc.array(
  fc.record<PodState>({
    name: fc.constantFrom("a", "b"),
    images: mostly([IMAGE], [OLD_IMAGE]),
    ready: mostly(true, false),
    restarts: mostly(0, 1, 2),
    reason: mostly("Running", "CrashLoopBackOff", "Terminating"),
    owner: fc.constant("checkout"),
  }),
  { minLength: 1, maxLength: 2 },
);

interface Step {
  afterSeconds: number;
  state: Partial<ApplicationSnapshot>;
  /** Seconds by which Argo CD's last comparison is behind its clock. */
  behind: number;
  inspection: Omit<Inspection, "kind">;
}

const operations: fc.Arbitrary<Partial<ApplicationOperation> | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant(undefined) },
  {
    weight: 2,
    arbitrary: fc.record({
      phase: fc.constantFrom("Succeeded", "Failed", "Running"),
      revisions: fc.constantFrom<string[]>([OURS], [OLDER], [LATER], [FOREIGN]),
      partial: fc.boolean(),
      dryRun: fc.boolean(),
    }),
  },
);

const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      afterSeconds: fc.constantFrom(0, 1, 3, 10, 31, 60),
      behind: mostly(0, 1, 30, 1_000),
      inspection: fc.oneof(fc.constant({}), fc.record({ pods })),
      state: fc.record({
        revisions: mostly([OURS], [LATER], [OLDER], [FOREIGN], ["main"]),
        sync: mostly("Synced", "OutOfSync", "Unknown"),
        health: mostly("Healthy", "Progressing", "Degraded", "Missing", "Suspended"),
        summaryImages: mostly([IMAGE], [OLD_IMAGE, IMAGE], [OLD_IMAGE], []),
        conditions: mostly(
          [],
          [{ type: "ComparisonError", message: "no" }],
          [{ type: "OrphanedResourceWarning", message: "" }],
        ),
        operationRequested: mostly(false, true),
        annotations: mostly({ skipReconcile: false }, { skipReconcile: false, refresh: "normal" }),
        operation: operations.map((change) => (change === undefined ? undefined : operation(change))),
      }),
    }),
    { minLength: 2, maxLength: 30 },
  )
  .map((all) =>
    all.map(({ state: { operation: ran, ...state }, ...step }) => ({
      ...step,
      state: ran === undefined ? state : { ...state, operation: ran },
    })),
  );

interface Look {
  verdict: Verdict;
  snapshot: ApplicationSnapshot;
  inspection: Omit<Inspection, "kind">;
  now: number;
  refresh: boolean;
}

/** Looks at each step until a final verdict. */
function run(all: readonly Step[], baseline: Baseline | undefined, timeoutMs = 600_000): Look[] {
  const looks: Look[] = [];
  let memory: VerdictMemory = {};
  let seconds = 0;
  for (const [index, { afterSeconds, state, behind, inspection }] of all.entries()) {
    seconds += afterSeconds;
    const { operation: ran, ...rest } = { ...snapshot(), ...state };
    const seen: ApplicationSnapshot = {
      ...rest,
      ...(ran === undefined || !("operation" in state) ? {} : { operation: ran }),
      resourceVersion: String(index + 1),
      reconciledAt: argoTime(20 + seconds - behind),
    };
    const now = PUSHED_AT + seconds * 1_000;
    const settings = { settleMs: 30_000, timeoutMs };
    const judged = judgeInspecting(judgeInput({ snapshot: seen, baseline, memory, now, settings }), inspection);
    ({ memory } = judged);
    looks.push({ ...judged, snapshot: seen, inspection, now });
    if (["healthy", "failed", "superseded"].includes(judged.verdict.state)) break;
  }
  return looks;
}

/** What a healthy verdict lacks, found without the judge; "" when nothing. */
function missingFrom(looks: readonly Look[]): string {
  const last = looks.at(-1);
  if (last === undefined) return "a look";
  const { snapshot: seen, inspection, now } = last;
  if (!seen.revisions.every((sha) => sha === OURS || sha === LATER)) return "coverage";
  const finished = Date.parse(seen.operation?.finishedAt ?? "1970-01-01T00:00:00Z");
  if (Date.parse(seen.reconciledAt ?? "") <= finished) return "freshness";
  if (seen.summaryImages.includes(OLD_IMAGE)) return "the old image's end";
  const proven = looks.some(
    ({ snapshot: { operation: ran } }) => ran?.images.includes(IMAGE) === true && !ran.dryRun && !ran.partial,
  );
  if (!seen.summaryImages.includes(IMAGE) && !proven) return "the image";
  if (seen.health !== "Healthy" || seen.sync === "Unknown") return "readiness";
  const own = (inspection.pods ?? []).filter((pod) => pod.images.includes(IMAGE) && pod.reason !== "Terminating");
  if (own.some((pod) => !pod.ready || pod.restarts > 1)) return "ready Pods";
  const wasGood = looks
    .filter((look) => now - look.now <= 30_000)
    .every(({ snapshot: { health } }) => health === "Healthy");
  if (!wasGood || now - (looks[0]?.now ?? now) < 30_000) return "time";
  const asked = looks.findLastIndex((look, index) => index < looks.length - 1 && look.refresh);
  const at = looks[asked];
  if (at === undefined || Date.parse(at.snapshot.reconciledAt ?? "") >= Date.parse(seen.reconciledAt ?? ""))
    return "a forced refresh";
  return seen.annotations.refresh === undefined ? "" : "an answer";
}

const before: Baseline = { health: "Healthy", conditions: [], summaryImages: [OLD_IMAGE], degraded: [] };
// FC_RUNS=100000 is the nightly depth; seeds are printed on failure.
const RUNS = { numRuns: Number(process.env["FC_RUNS"] ?? 1_000) };
const LIMIT = { timeout: 300_000 };

test(
  "never healthy without coverage, freshness, image and readiness, kept for its time and compared again",
  LIMIT,
  () => {
    let healthy = 0;
    fc.assert(
      fc.property(steps, fc.constantFrom(before, undefined), (all, baseline) => {
        const looks = run(all, baseline);
        if (looks.at(-1)?.verdict.state !== "healthy") return;
        healthy++;
        expect(missingFrom(looks)).toBe("");
      }),
      RUNS,
    );
    expect(healthy).toBeGreaterThan(RUNS.numRuns / 100);
  },
);

test("never failed for what the baseline already had", LIMIT, () => {
  const troubles: fc.Arbitrary<{ baseline: Baseline; state: Partial<ApplicationSnapshot> }> = fc.constantFrom(
    { baseline: { ...before, health: "Degraded" }, state: { health: "Degraded", healthSince: argoTime(1) } },
    { baseline: { ...before, health: "Progressing" }, state: { health: "Progressing", healthSince: argoTime(1) } },
    { baseline: { ...before, health: "Missing" }, state: { health: "Missing" } },
    {
      baseline: { ...before, conditions: ["ComparisonError"] },
      state: { sync: "Unknown", revisions: ["main"], conditions: [{ type: "ComparisonError", message: "no" }] },
    },
    {
      baseline: { ...before, failedSync: "denied" },
      state: { sync: "OutOfSync", operation: operation({ phase: "Failed", message: "denied" }) },
    },
    {
      baseline: { ...before, conditions: ["SyncError"] },
      state: {
        sync: "OutOfSync",
        operation: operation({ phase: "Error" }),
        conditions: [{ type: "SyncError", message: "" }],
      },
    },
  );
  const rests = fc.array(fc.constantFrom(1, 10, 46, 300, 2_000), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(troubles, rests, ({ baseline, state }, seconds) => {
      const all = seconds.map((afterSeconds) => ({
        afterSeconds,
        behind: 0,
        inspection: {},
        state: { operation: operation(), ...state },
      }));
      expect(run(all, baseline).map(({ verdict }) => verdict.state)).not.toContain("failed");
    }),
    RUNS,
  );
});

test("every verdict has evidence, and the memory is plain data", LIMIT, () => {
  fc.assert(
    fc.property(steps, (all) => {
      for (const { verdict } of run(all, before)) {
        expect(verdict.evidence.length).toBeGreaterThan(0);
        for (const { field, rule } of verdict.evidence) expect([field, rule]).not.toContain("");
      }
    }),
    { numRuns: 500 },
  );
});
