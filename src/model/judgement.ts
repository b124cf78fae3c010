import type { ApplicationSnapshot, Inspection, InspectionKind } from "./application.ts";
import type { Oid } from "./git.ts";
import type { Baseline, JudgeSettings, RevisionFacts, Verdict, VerdictMemory } from "./observation.ts";

export interface JudgeInput {
  commit: Oid;
  /** The file's repository: which of the Application's sources the commit belongs to. */
  repositoryUrl: string;
  branch: string;
  paths: readonly string[];
  images: {
    /** `repository[:tag][@digest]` that must run. */
    new: readonly string[];
    /** References that must no longer run. */
    old: readonly string[];
  };
  snapshot: ApplicationSnapshot;
  /** The Application that deploys this one, where that is what renders our files. */
  parent?: ApplicationSnapshot;
  /** Given when the judgement before asked for it; absent where nothing can be inspected. */
  inspection?: Inspection;
  /** Facts of the revisions in the snapshot; one that is missing is unknown. */
  revisions: ReadonlyMap<string, RevisionFacts>;
  /** The branch no longer contains our commit. */
  lost: boolean;
  baseline: Baseline | undefined;
  memory: VerdictMemory;
  /** Milliseconds, of the same clock as `pushedAt` and the memory's times. */
  pushedAt: number;
  now: number;
  settings: JudgeSettings;
}

export interface Judgement {
  verdict: Verdict;
  memory: VerdictMemory;
  /** The judge needs a newer comparison: ask Argo CD to refresh. */
  refresh: boolean;
  /** The verdict rests on more than the Application tells: inspect that, and judge the same snapshot again. */
  inspect?: InspectionKind;
  /** When time alone can change the verdict: milliseconds until the next look. */
  lookAgainMs: number;
}
