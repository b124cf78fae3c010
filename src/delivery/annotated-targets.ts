import type { AnnotatedState, AnnotatedTarget, AnnotationRules, ClaimGroup, Undecided } from "../model/annotated.ts";
import { type ApplicationRef, formatApplicationRef } from "../model/application.ts";
import { matchesPattern } from "../model/match.ts";
import { laneOf, type Misplaced, type Place, type Target } from "../model/target.ts";
import type { WrittenPlace } from "../overlays/application-files.ts";
import type { Found } from "./annotated-files.ts";
import { type Asked, keyOf } from "./claims.ts";
import { candidatePaths, takes } from "./places.ts";

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
  { groups, refused }: Pick<Asked, "groups" | "refused">,
  lanes: ReadonlyMap<string, LaneFiles>,
): AnnotatedState {
  const configured = targetsByFile(rules);
  const targets: AnnotatedTarget[] = [];
  const undecided: Undecided[] = [];
  for (const group of groups) {
    const made = targetOfGroup(configured, group, lanes);
    if ("why" in made) undecided.push(made);
    else targets.push(made);
  }
  return { complete: true, targets, refused, undecided };
}

interface Spot extends WrittenPlace {
  lane: string;
  image: string;
}

/** Targets of the configuration by `lane file`. */
type Configured = ReadonlyMap<string, readonly Target[]>;

function targetsByFile({ targets }: AnnotationRules): Configured {
  const entries = targets.flatMap((target) =>
    candidatePaths(target).map((file) => ({ target, key: `${laneOf(target).id} ${file}` })),
  );
  const grouped = Map.groupBy(entries, ({ key }) => key);
  return new Map([...grouped].map(([key, those]) => [key, those.map(({ target }) => target)]));
}

function targetOfGroup(
  configured: Configured,
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
      return { id: group.id, images, from: rule.from, why: `${group.id} is not known yet: ${why}` };
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
  if (own === undefined) return { id: group.id, images, from: rule.from, why: `${group.id} has no source` };
  const renderers = lanes.get(laneOf(own).id)?.renderers;
  if (spots.some(({ lane, file }) => lane === laneOf(own).id && renderers?.has(file) !== true)) {
    const why = `${group.id} is not known yet: who else renders its files has not been asked yet`;
    return { id: group.id, images, from: rule.from, why };
  }
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
  problem ??= objection(configured, { target, spots, paths: rule.paths }, lanes.get(laneOf(own).id));
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
  configured: Configured,
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
    const other = configured
      .get(`${where} ${file}`)
      ?.find(
        ({ images, places }) =>
          images.some(({ repository }) => repository === image) &&
          places.some((place) => takes(place, { repository: image })),
      );
    if (other !== undefined) {
      return {
        code: "edit-ambiguous",
        message: `${other.id} of the configuration writes ${image} in ${file}`,
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
