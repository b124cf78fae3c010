import type { ApplicationSnapshot, InspectionKind } from "../../model/application.ts";
import type { JudgeInput } from "../../model/judgement.ts";
import type { Evidence, Verdict, VerdictMemory, VerdictReason, VerdictState } from "../../model/observation.ts";
import { laterThan, type Reading, read } from "./reading.ts";

/** One look at one snapshot. */
export interface Look {
  input: JudgeInput;
  snapshot: ApplicationSnapshot;
  reading: Reading;
  /** As the last look left it. */
  before: VerdictMemory;
  /** For the next look. Timers start at nothing: a rule that still holds takes its time over from `before`. */
  memory: VerdictMemory;
  now: number;
}

/** A verdict on its way, and what the judge needs to go on. */
export interface Draft {
  verdict: Verdict;
  refresh?: boolean;
  /** Milliseconds after which time alone can change the verdict. */
  againMs?: number;
  /** What the Application tells does not decide it. */
  inspect?: InspectionKind | undefined;
  /** Nobody can be blamed for the time that passes so: the timeout does not count it. */
  stopsClock?: boolean;
}

export function lookAt(input: JudgeInput): Look {
  const { snapshot, memory: before, now } = input;
  const reading = read(input);
  const memory: VerdictMemory = {
    ...before,
    resourceVersion: snapshot.resourceVersion,
    outOfSyncSince: undefined,
    obstructedSince: undefined,
    candidateSince: undefined,
    candidateReconciledAt: undefined,
    candidateOperation: undefined,
    candidateHealthSince: undefined,
    degradedSince: undefined,
    mismatchSince: undefined,
    unansweredSince: undefined,
    abandonedSince: undefined,
    renderSince: undefined,
    renderReconciledAt: undefined,
  };
  // A comparison that failed proves no commit.
  if (reading.covers === "yes" && snapshot.sync !== "Unknown") memory.observedSince ??= now;
  if (reading.applied) memory.appliedSince ??= now;
  if (input.inspection?.kind === "policy") {
    const { canSync, rollingSync } = input.inspection;
    memory.inspected = {
      at: now,
      ...(canSync === undefined ? {} : { canSync }),
      ...(rollingSync === undefined ? {} : { rollingSync }),
    };
  }
  return { input, snapshot, reading, before, memory, now };
}

export function verdictOf(state: VerdictState, message: string, evidence: Evidence[] = []): Verdict {
  return { state, message, evidence };
}

export function reasonedVerdict(
  state: VerdictState,
  reason: VerdictReason,
  message: string,
  evidence: Evidence[] = [],
): Verdict {
  return { state, reason, message, evidence };
}

export function revisionEvidence(look: Look, rule: string): Evidence {
  return { ...look.reading.compared, rule };
}

export function syncEvidence(look: Look, rule: string): Evidence {
  return { field: "status.sync.status", value: look.snapshot.sync, rule };
}

export function healthEvidence(look: Look, rule: string): Evidence {
  const { health, healthMessage } = look.snapshot;
  return { field: "status.health.status", value: healthMessage === "" ? health : `${health}: ${healthMessage}`, rule };
}

/** The health changed and came back between two looks, without a new operation: a fall that nobody saw. */
export function fellUnseen({ before, snapshot }: Look): boolean {
  const { candidateHealthSince, candidateOperation } = before;
  if (candidateHealthSince === undefined || candidateHealthSince === "") return false;
  if ((snapshot.operation?.startedAt ?? "") !== candidateOperation) return false;
  return laterThan(snapshot.healthSince, candidateHealthSince);
}

/** The first condition of one of the types that the baseline did not have yet. */
export function newCondition(look: Look, types: readonly string[]): { type: string; message: string } | undefined {
  const known = look.input.baseline?.conditions ?? [];
  return look.snapshot.conditions.find(({ type }) => types.includes(type) && !known.includes(type));
}
