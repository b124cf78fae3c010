import {
  type AnnotationRules,
  type Claim,
  type ClaimGroup,
  type ClaimSource,
  claimOf,
  groupClaims,
  isRefused,
  type RefusedApplication,
} from "../model/annotated.ts";
import { type ApplicationSnapshot, formatApplicationRef } from "../model/application.ts";
import { type Lane, laneOf } from "../model/target.ts";
import type { Wanted } from "./annotated-files.ts";

/** More than any bridge has; beyond, somebody writes Applications in a loop. */
const MAX_ANNOTATED = 10_000;

/** Applications that ask to be targets: those that may, with where to look, and why the others may not. */
export interface Asked {
  groups: ClaimGroup[];
  refused: RefusedApplication[];
  lanes: ReadonlyMap<string, { lane: Lane; wanted: ReadonlyMap<string, Wanted> }>;
}

export const NOBODY: Asked = { groups: [], refused: [], lanes: new Map() };

interface Known {
  snapshot: ApplicationSnapshot;
  answer: Claim | RefusedApplication;
  text: string;
}

/**
 * What annotated Applications ask for. Thousands are compared by Argo CD all the time without any change of that: each
 * is judged anew only when it is another version, and everything only when one of the answers is another one.
 */
export class Claims {
  #rules: AnnotationRules | undefined;
  #known = new Map<string, Known>();
  #asked = NOBODY;

  /** The same object as before when nothing has changed. */
  ask(rules: AnnotationRules, snapshots: readonly ApplicationSnapshot[]): Asked {
    const own = snapshots.filter(({ ref }) => rules.clusters.includes(ref.cluster));
    const before = rules === this.#rules ? this.#known : new Map<string, Known>();
    const now = new Map<string, Known>();
    let isSame = rules === this.#rules && own.length === before.size;
    for (const [index, snapshot] of own.entries()) {
      const key = formatApplicationRef(snapshot.ref);
      const earlier = before.get(key);
      const answer = earlier?.snapshot === snapshot ? earlier : judged(rules, snapshot, index);
      const known = earlier?.text === answer.text ? { ...earlier, snapshot } : answer;
      isSame &&= known.answer === earlier?.answer;
      now.set(key, known);
    }
    this.#rules = rules;
    this.#known = now;
    if (!isSame)
      this.#asked = askedBy(
        rules,
        [...now.values()].map(({ answer }) => answer),
      );
    return this.#asked;
  }
}

function judged(rules: AnnotationRules, snapshot: ApplicationSnapshot, index: number): Known {
  const answer = index < MAX_ANNOTATED ? claimOf(rules, snapshot) : tooMany(snapshot);
  return { snapshot, answer, text: JSON.stringify(answer) };
}

function tooMany({ ref }: ApplicationSnapshot): RefusedApplication {
  const message = `Application ${formatApplicationRef(ref)} is no target: ${MAX_ANNOTATED} others are annotated`;
  return { application: ref, app: ref.name, images: [], message, hint: "Remove annotations that nobody needs." };
}

function askedBy(rules: AnnotationRules, answers: readonly (Claim | RefusedApplication)[]): Asked {
  const { groups, refused } = groupClaims(
    rules,
    answers.flatMap((answer) => (isRefused(answer) ? [] : [answer])),
  );
  const lanes = new Map<string, { lane: Lane; wanted: Map<string, Wanted> }>();
  for (const claim of groups.flatMap(({ claims }) => claims)) {
    for (const source of claim.sources) {
      const lane = laneOf(source);
      const { wanted } = lanes.get(lane.id) ?? { wanted: new Map<string, Wanted>() };
      lanes.set(lane.id, { lane, wanted });
      const images = claim.images.map(({ repository }) => repository);
      wanted.set(keyOf(claim, source), { source: { ...source, application: claim.application.name }, images });
    }
  }
  return { groups, refused: [...answers.filter(isRefused), ...refused], lanes };
}

/** One source of one Application: what is found in its files does not depend on anything else. */
export function keyOf(claim: Claim, source: ClaimSource): string {
  return JSON.stringify([claim.application, claim.images, source]);
}
