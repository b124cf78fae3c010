import { attemptContract } from "./store-attempts.ts";
import { feedContract } from "./store-feed.ts";
import { importContract } from "./store-imports.ts";
import { intakeContract } from "./store-intake.ts";
import { laneContract } from "./store-lanes.ts";
import { positionContract } from "./store-positions.ts";
import { readingContract } from "./store-reading.ts";
import { rollbackContract } from "./store-rollbacks.ts";
import type { MakeStore } from "./store-samples.ts";
import { targetContract } from "./store-targets.ts";
import { tokenContract } from "./store-tokens.ts";
import { workContract } from "./store-work.ts";

/** What every store port promises; the memory fake and PostgreSQL pass the very same tests. */
export function storeContract(name: string, makeSubject: MakeStore): void {
  intakeContract(name, makeSubject);
  readingContract(name, makeSubject);
  feedContract(name, makeSubject);
  workContract(name, makeSubject);
  laneContract(name, makeSubject);
  attemptContract(name, makeSubject);
  targetContract(name, makeSubject);
  importContract(name, makeSubject);
  rollbackContract(name, makeSubject);
  tokenContract(name, makeSubject);
  positionContract(name, makeSubject);
}
