import type { Clock } from "../model/ambient.ts";
import { type AnnotatedState, type AnnotationRules, NOT_ANNOTATED } from "../model/annotated.ts";
import type { ApplicationRef, ApplicationSnapshot } from "../model/application.ts";
import { isTransient, messageOf } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { type Lane, laneOf } from "../model/target.ts";
import { folderOfSource, valueFilesOf } from "../overlays/application-files.ts";
import { type Found, findPlaces, type Wanted } from "./annotated-files.ts";
import { logChanges } from "./annotated-log.ts";
import { type LaneFiles, stateOf } from "./annotated-targets.ts";
import { Claims, NOBODY } from "./claims.ts";
import { MissingApplications } from "./missing-applications.ts";
import type { ArgoCd, GitRepository, Log } from "./ports.ts";

type ReadRepository = Pick<GitRepository, "tip" | "listFiles" | "readFiles" | "changedPaths">;

export interface AnnotatedDeps {
  argocd: Pick<ArgoCd, "annotated" | "find" | "snapshots">;
  repository: (name: string) => ReadRepository | undefined;
  clock: Clock;
  log: Log;
  /** Called with each new state, and the lanes whose targets are not what they were. */
  changed: (state: AnnotatedState, laneIds: ReadonlySet<string>) => void;
}

/** How soon an annotation counts, and how soon what others do to the files shows where nothing is written. */
const LOOK_MS = 2_000;
const READ_MS = 30_000;

interface Branch extends LaneFiles {
  url: string;
  lane: Lane;
  tip?: Oid;
  readAt?: number;
}

const NO_RULES: AnnotationRules = { rules: [], clusters: [], repositories: [], targets: [] };
const UNKNOWN: AnnotatedState = { ...NOT_ANNOTATED, complete: false };

/**
 * Targets that Applications make themselves by annotation, as long as the configuration's rules let them: which ones
 * there are, and where their images are written. What cannot be read now keeps what was known of it.
 */
export class AnnotatedTargets {
  readonly #deps: AnnotatedDeps;
  #rules = NO_RULES;
  #snapshots: readonly ApplicationSnapshot[] | undefined;
  #asked = NOBODY;
  readonly #claims = new Claims();
  readonly #missing = new MissingApplications();
  #branches = new Map<string, Branch>();
  #state: AnnotatedState = NOT_ANNOTATED;
  #published = "";
  /** By lane. */
  readonly #queues = new Map<string, Promise<void>>();
  readonly #looking = new Set<string>();

  constructor(deps: AnnotatedDeps) {
    this.#deps = deps;
  }

  get state(): AnnotatedState {
    return this.#state;
  }

  /** Brings other rules into force, at once: what they do not let be a target is none any more. */
  configure(rules: AnnotationRules): void {
    this.#rules = rules;
    const urls = new Map(rules.repositories.map(({ name, url }) => [name, url]));
    for (const [id, { lane, url }] of this.#branches) {
      if (urls.get(lane.repository) !== url) this.#branches.delete(id);
    }
    this.#missing.forget();
    this.#asked = this.#claims.ask(rules, rules.rules.length === 0 ? [] : (this.#snapshots ?? []));
    this.#publish();
  }

  /** Looks at the Applications, and at files that nobody has looked at lately. Rejects only when aborted. */
  async refresh(signal: AbortSignal): Promise<void> {
    await Promise.all(await this.#begin(signal));
  }

  /** The same for one lane that is about to be written, at exactly this commit. Rejects when that cannot be read. */
  async atTip(lane: Lane, tip: Oid, signal: AbortSignal): Promise<void> {
    if (!this.#asked.lanes.has(lane.id)) return;
    await this.#alone(lane, async () => {
      if (await this.#read(lane, tip, signal)) await this.#tell(lane, signal);
    });
  }

  /** Refreshes until aborted; a repository that does not answer keeps nothing else waiting. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    const failed = (error: unknown): void => {
      if (!signal.aborted) this.#deps.log.error("annotated Applications could not be looked at", { error });
    };
    while (!signal.aborted) {
      const looks = await this.#begin(signal).catch(failed);
      for (const look of looks ?? []) look.catch(failed);
      await this.#deps.clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
    await Promise.all(this.#queues.values());
  }

  /** Takes up what the Applications say now, and begins to look at every lane where that, or time, makes a difference. */
  async #begin(signal: AbortSignal): Promise<Promise<void>[]> {
    const rules = this.#rules;
    if (rules.rules.length === 0) return [];
    const snapshots = await this.#listed(signal);
    if (snapshots === undefined) return [];
    const before = this.#asked;
    const after = this.#claims.ask(rules, snapshots);
    const now = this.#deps.clock.now();
    const isOther = await this.#missing.take({ before, after, now }, (ref) => this.#isThere(ref, signal));
    // Other rules came into force meanwhile: what they say is taken up at the next look.
    if (rules !== this.#rules) return [];
    this.#snapshots = snapshots;
    this.#asked = after;
    const isNews = after !== before;
    if (isNews || isOther) this.#publish();
    const lanes = [...after.lanes.values()].filter(({ lane }) => isNews || this.#isDue(lane));
    return lanes.flatMap(({ lane }) => (this.#looking.has(lane.id) ? [] : [this.#look(lane, signal)]));
  }

  /** As they are now, else as they were last; undefined before the first time. */
  async #listed(signal: AbortSignal): Promise<readonly ApplicationSnapshot[] | undefined> {
    try {
      return await this.#deps.argocd.annotated();
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.log.debug("the annotated Applications could not be read", { error });
      return this.#snapshots;
    }
  }

  async #isThere(ref: ApplicationRef, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#deps.argocd.snapshots(ref, undefined)).length > 0;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  #isDue(lane: Lane): boolean {
    const { readAt, trouble, found } = this.#branchOf(lane);
    const isOld = readAt === undefined || this.#deps.clock.now() - readAt >= READ_MS;
    const wanted = this.#asked.lanes.get(lane.id)?.wanted ?? new Map<string, Wanted>();
    return trouble !== undefined || isOld || [...wanted.keys()].some((key) => !found.has(key));
  }

  async #look(lane: Lane, signal: AbortSignal): Promise<void> {
    this.#looking.add(lane.id);
    try {
      await this.#alone(lane, async () => {
        if (this.#isDue(lane)) await this.#tryToRead(lane, signal);
        await this.#tell(lane, signal);
      });
    } finally {
      this.#looking.delete(lane.id);
    }
  }

  async #tryToRead(lane: Lane, signal: AbortSignal): Promise<void> {
    const branch = this.#branchOf(lane);
    try {
      await this.#read(lane, await this.#gitOf(lane).tip(lane.branch, signal), signal);
      delete branch.trouble;
    } catch (error) {
      signal.throwIfAborted();
      branch.trouble = `${lane.id} cannot be read: ${messageOf(error)}`;
      this.#deps.log.warn("files of annotated Applications could not be read", { lane: lane.id, error });
    }
  }

  /** False when everything of the lane was known at this tip. */
  async #read(lane: Lane, tip: Oid, signal: AbortSignal): Promise<boolean> {
    const branch = this.#branchOf(lane);
    const git = this.#gitOf(lane);
    const all = this.#asked.lanes.get(lane.id)?.wanted ?? new Map<string, Wanted>();
    const isMoved = branch.tip !== tip;
    const kept = isMoved ? await unchanged(git, { branch, tip, all }, signal) : branch.found;
    const missing = new Map([...all].filter(([key]) => !kept.has(key)));
    if (isMoved || missing.size > 0) {
      const found = await findPlaces({ git, clock: this.#deps.clock }, { commit: tip, wanted: missing }, signal);
      branch.found = new Map([...[...kept].filter(([key]) => all.has(key)), ...found]);
    }
    branch.tip = tip;
    branch.readAt = this.#deps.clock.now();
    return isMoved || missing.size > 0;
  }

  /** Publishes what is known, with who renders the files that would be written: any Application may come to do so. */
  async #tell(lane: Lane, signal: AbortSignal): Promise<void> {
    const branch = this.#branchOf(lane);
    const files = [...branch.found.values()].flatMap((found) =>
      [...found.values()].flatMap((places) => (Array.isArray(places) ? places.map(({ file }) => file) : [])),
    );
    const wanted = { repositoryUrl: branch.url, branch: lane.branch, paths: [...new Set(files)] };
    try {
      branch.renderers = await this.#deps.argocd.find(wanted);
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error)) throw error;
    }
    this.#publish();
  }

  #branchOf(lane: Lane): Branch {
    const known = this.#branches.get(lane.id);
    if (known !== undefined) return known;
    const url = this.#rules.repositories.find(({ name }) => name === lane.repository)?.url ?? "";
    const branch: Branch = { url, lane, found: new Map<string, Found>(), renderers: new Map() };
    this.#branches.set(lane.id, branch);
    return branch;
  }

  #gitOf(lane: Lane): ReadRepository {
    const git = this.#deps.repository(lane.repository);
    if (git === undefined) throw new Error(`repository ${lane.repository} is not open`);
    return git;
  }

  /** Works out the state from all that is known, and tells of it if it is another one. */
  #publish(): void {
    const { rules } = this.#rules;
    const isKnown = rules.length === 0 || this.#snapshots !== undefined;
    const made = stateOf(this.#rules, this.#asked, this.#branches);
    const next = isKnown ? { ...made, undecided: [...made.undecided, ...this.#missing.undecided] } : UNKNOWN;
    const text = JSON.stringify(next);
    if (text === this.#published) return;
    const before = this.#state;
    this.#published = text;
    this.#state = next;
    logChanges(this.#deps.log, before, next);
    this.#deps.changed(next, changedLanes(before, next));
  }

  /** One look at a lane after the other: each goes on from what the one before found. Lanes do not wait for each other. */
  #alone<T>({ id }: Lane, run: () => Promise<T>): Promise<T> {
    const result = (this.#queues.get(id) ?? Promise.resolve()).then(run);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#queues.set(id, settled);
    return result;
  }
}

/** What was found in folders and files that are the same at the new tip; nothing when that cannot be told. */
async function unchanged(
  git: Pick<GitRepository, "changedPaths">,
  { branch, tip, all }: { branch: Branch; tip: Oid; all: ReadonlyMap<string, Wanted> },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Found>> {
  const { tip: before, found } = branch;
  if (before === undefined || found.size === 0) return new Map();
  const paths = new Map([...all].map(([key, { source }]) => [key, [folderOfSource(source), ...valueFilesOf(source)]]));
  const asked = [...new Set([...paths.values()].flatMap((own) => own.filter((path) => path !== undefined)))];
  try {
    const changed = new Set<string | undefined>(await git.changedPaths(before, tip, asked.filter(Boolean), signal));
    // The root has no path to ask for.
    changed.add("");
    return new Map([...found].filter(([key]) => paths.get(key)?.every((path) => !changed.has(path)) === true));
  } catch (error) {
    signal.throwIfAborted();
    if (isTransient(error)) throw error;
    return new Map();
  }
}

function changedLanes(before: AnnotatedState, after: AnnotatedState): Set<string> {
  const texts = (state: AnnotatedState) =>
    new Map(
      state.targets.map(({ target }) => [
        `${laneOf(target).id} ${target.id}`,
        { target, text: JSON.stringify(target) },
      ]),
    );
  const [old, now] = [texts(before), texts(after)];
  const gone = [...old].filter(([key]) => !now.has(key));
  const other = [...now].filter(([key, { text }]) => old.get(key)?.text !== text);
  return new Set([...gone, ...other].map(([, { target }]) => laneOf(target).id));
}
