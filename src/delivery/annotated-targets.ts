import {
  type AnnotatedState,
  type AnnotatedTarget,
  type AnnotationRules,
  type Claim,
  type ClaimGroup,
  type ClaimSource,
  claimOf,
  groupClaims,
  isRefused,
  type RefusedApplication,
  type Undecided,
} from "../model/annotated.ts";
import { type ApplicationRef, type ApplicationSnapshot, formatApplicationRef } from "../model/application.ts";
import { matchesPattern } from "../model/match.ts";
import { laneOf, type Misplaced, type Place, type Target } from "../model/target.ts";
import type { WrittenPlace } from "../overlays/application-files.ts";
import type { Found } from "./annotated-files.ts";
import { candidatePaths, takes } from "./places.ts";

/** More than any bridge has; beyond, somebody writes Applications in a loop. */
const MAX_ANNOTATED = 10_000;

/** Applications that ask to be targets: those that may, and why the others may not. */
export interface Asked {
  groups: ClaimGroup[];
  refused: RefusedApplication[];
}

export function askedBy(rules: AnnotationRules, all: readonly ApplicationSnapshot[]): Asked {
  const snapshots = all.filter(({ ref }) => rules.clusters.includes(ref.cluster));
  const answers = snapshots.slice(0, MAX_ANNOTATED).map((snapshot) => claimOf(rules, snapshot));
  const { groups, refused } = groupClaims(
    rules,
    answers.flatMap((answer) => (isRefused(answer) ? [] : [answer])),
  );
  const tooMany = snapshots.slice(MAX_ANNOTATED).map(({ ref }): RefusedApplication => {
    const message = `Application ${formatApplicationRef(ref)} is no target: ${MAX_ANNOTATED} others are annotated`;
    return { application: ref, app: ref.name, images: [], message, hint: "Remove annotations that nobody needs." };
  });
  return { groups, refused: [...answers.filter(isRefused), ...refused, ...tooMany] };
}

/** One source of one Application: what is found in its files does not depend on anything else. */
export function keyOf(claim: Claim, source: ClaimSource): string {
  return JSON.stringify([claim.application, claim.images, source]);
}

/** What is known of one repository's branch. */
export interface LaneFiles {
  /** By `keyOf`. */
  found: ReadonlyMap<string, Found>;
  /** Which Applications render each of the files that are written. */
  renderers: ReadonlyMap<string, readonly ApplicationRef[]>;
  /** Why it cannot be read now. */
  trouble?: string;
}

/** The targets, from what is known of the files. A group whose files were not read yet is undecided. */
export function stateOf(
  rules: AnnotationRules,
  { groups, refused }: Asked,
  lanes: ReadonlyMap<string, LaneFiles>,
): AnnotatedState {
  const targets: AnnotatedTarget[] = [];
  const undecided: Undecided[] = [];
  for (const group of groups) {
    const made = targetOfGroup(rules, group, lanes);
    if ("why" in made) undecided.push(made);
    else targets.push(made);
  }
  return { complete: true, targets, refused, undecided };
}

interface Spot extends WrittenPlace {
  lane: string;
  image: string;
}

function targetOfGroup(
  rules: AnnotationRules,
  group: ClaimGroup,
  lanes: ReadonlyMap<string, LaneFiles>,
): AnnotatedTarget | Undecided {
  const [first] = group.claims;
  const { app, environment, rule } = first;
  const images = group.images.map(({ repository }) => repository);
  const spots: Spot[] = [];
  let problem: Misplaced | undefined;
  for (const claim of group.claims) {
    const read = claim.sources.map((source) => {
      const lane = lanes.get(laneOf(source).id);
      return { source, found: lane?.found.get(keyOf(claim, source)), trouble: lane?.trouble };
    });
    const unread = read.find(({ found }) => found === undefined);
    if (unread !== undefined) {
      const why = unread.trouble ?? "its files have not been read yet";
      return { id: group.id, images, why: `${group.id} is not known yet: ${why}` };
    }
    for (const { repository } of claim.images) {
      const answers = read.map(({ source, found }) => ({
        lane: laneOf(source).id,
        answer: found?.get(repository) ?? [],
      }));
      const places = answers.flatMap(({ lane, answer }) =>
        Array.isArray(answer) ? answer.map((place) => ({ ...place, lane, image: repository })) : [],
      );
      spots.push(...places);
      const failures = answers.flatMap(({ answer }) => (Array.isArray(answer) ? [] : [answer]));
      // That one source has nothing of the image is no failure where another one has.
      const failure =
        failures.find(({ code }) => code !== "edit-not-found") ?? (places.length === 0 ? failures[0] : undefined);
      problem ??= failure;
    }
  }
  const own = first.sources.find((source) => laneOf(source).id === spots[0]?.lane) ?? first.sources[0];
  if (own === undefined) return { id: group.id, images, why: `${group.id} has no source` };
  const target: Target = {
    id: group.id,
    app,
    environment,
    repository: own.repository,
    branch: own.branch,
    images: group.images,
    places: placesOf(spots, laneOf(own).id),
    applications: group.claims.map(({ application }) => application),
    policy: rule.environments.find(({ name }) => name === environment)?.policy ?? missing(environment),
  };
  problem ??= objection(rules, { target, spots, paths: rule.paths }, lanes.get(laneOf(own).id));
  return { target: problem === undefined ? target : { ...target, misplaced: problem }, from: rule.from };
}

function missing(environment: string): never {
  throw new Error(`the rule has no environment ${environment}`);
}

/** Each once: several Applications may render the same file. */
function placesOf(spots: readonly Spot[], lane: string): Place[] {
  const own = spots.filter((spot) => spot.lane === lane);
  return [...new Map(own.map(({ place }) => [JSON.stringify(place), place])).values()];
}

/** Why the places must not be written although they were found. */
function objection(
  rules: AnnotationRules,
  { target, spots, paths }: { target: Target; spots: readonly Spot[]; paths: readonly string[] },
  lane: LaneFiles | undefined,
): Misplaced | undefined {
  const refs = new Set((target.applications ?? []).map(formatApplicationRef));
  for (const { file, image, lane: where } of spots) {
    if (where !== laneOf(target).id) {
      return {
        code: "edit-ambiguous",
        message: `the images of ${target.id} are written in two repositories`,
        hint: "Annotate an Application for each.",
      };
    }
    if (!paths.some((pattern) => matchesPattern(pattern, file))) {
      return {
        code: "edit-unsupported",
        message: `${file} is none of the files that annotated Applications of this project may have written`,
        hint: "Add it to `paths` of the entry in `annotated`.",
      };
    }
    const configured = rules.targets.find(
      (other) =>
        laneOf(other).id === where &&
        other.places.some((place) => takes(place, { repository: image })) &&
        other.images.some(({ repository }) => repository === image) &&
        candidatePaths(other).includes(file),
    );
    if (configured !== undefined) {
      return {
        code: "edit-ambiguous",
        message: `${configured.id} of the configuration writes ${image} in ${file}`,
        hint: "Remove the annotation, or the target from the configuration.",
      };
    }
    const stranger = lane?.renderers.get(file)?.find((ref) => !refs.has(formatApplicationRef(ref)));
    if (stranger !== undefined) {
      return {
        code: "edit-ambiguous",
        message: `Application ${formatApplicationRef(stranger)} renders ${file} too: its version would change with it`,
        hint: `Write the image in a file of one Application, or annotate both with gitspan.dev/app: ${target.app} and the same environment and images.`,
      };
    }
  }
  return undefined;
}
