import type { JudgeSettings, Verdict } from "../model/observation.ts";

/** The part of `src/argocd` that commands use. */
export interface JudgeModule {
  /** Every change of the verdict, with its time as the question writes times. Throws `bad-request`. */
  explainRaw(
    question: {
      snapshots: unknown;
      commit: unknown;
      history?: unknown;
      images?: unknown;
      pods?: unknown;
      baseline?: unknown;
      pushedAt?: unknown;
    },
    options: { settings: JudgeSettings; noTail?: boolean },
  ): { at: string | number; verdict: Verdict }[];
}
