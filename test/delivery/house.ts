import { accept } from "../../src/delivery/accept.ts";
import type { GitRepository, Metrics, Settings } from "../../src/delivery/ports.ts";
import type { LaneResult } from "../../src/delivery/push.ts";
import { startRollback } from "../../src/delivery/rollback.ts";
import { verify } from "../../src/delivery/verify.ts";
import type { WorkerDeps } from "../../src/delivery/worker.ts";
import { writeLane } from "../../src/delivery/write.ts";
import type { Artifact, BuildReport } from "../../src/model/build.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import { GitspanError } from "../../src/model/errors.ts";
import type { LaneClaim } from "../../src/model/lane.ts";
import type { Target } from "../../src/model/target.ts";
import { datedHistory } from "../fakes/dated-history.ts";
import { aTarget, T0 } from "../fakes/examples.ts";
import { MemoryGit } from "../fakes/memory-git.ts";
import { MemoryStore } from "../fakes/memory-store.ts";
import { MemoryTrust } from "../fakes/memory-trust.ts";
import { VirtualTime } from "../simulation/virtual-time.ts";
import { ScriptedArgoCd } from "./scripted-argocd.ts";

export const PERSON = { subject: "token:ada", groups: [] };
export const BRANCH = "main";
export const LANE = "gitops@main";
export const never = new AbortController().signal;
const GIT_URL = "https://git.example.com/platform/gitops.git";
const AUTHOR = { name: "gitspan", email: "gitspan@example.com" };

/** Counts nothing, whatever there is to count. */
const silent = new Proxy({} as Metrics, { get: () => () => undefined });

/** What a test says of a build; the rest is made up, each build's source commit newer than the one before. */
export interface BuildWords {
  tag: string;
  apps?: string[];
  digest?: Artifact["digest"];
  /** Milliseconds; `null`: the build does not tell. */
  sourceTime?: number | null;
  sourceCommit?: string;
  finishedAt?: number;
  subject?: string;
}

export type House = ReturnType<typeof makeHouse>;

/** What is left of a house whose database is gone. */
interface Lost {
  git: MemoryGit;
  made(): number;
}

/** The delivery flow on fakes: a repository with one overlay per target, all at tag 1.0, and nothing delivered yet. */
export function makeHouse(input: { targets?: Target[]; after?: Lost; registries?: string[] } = {}) {
  const targets = input.targets ?? [targetOf("checkout")];
  const time = new VirtualTime(T0);
  // After another one: the same repository, and a database that knows nothing.
  const git = input.after?.git ?? new MemoryGit();
  if (input.after === undefined)
    git.commit(
      BRANCH,
      Object.fromEntries(targets.map((target) => [pathOf(target), overlayOf(target, "1.0")])),
      "first",
    );
  const store = new MemoryStore({ clock: time });
  const argocd = new ScriptedArgoCd();
  const trust = new MemoryTrust(input.registries);
  const logged: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  const logAs =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      void logged.push({ level, message, fields });
  const house = { settings: settingsOf(targets), repository: git as GitRepository | undefined };
  let made = input.after?.made() ?? 0;
  const ids = { uuid: () => `id-${String(++made).padStart(4, "0")}` };
  const deps: WorkerDeps = {
    ambient: { clock: time, random: { next: () => 0.5 }, ids },
    store,
    history: datedHistory,
    repository: (name) => (name === "gitops" ? house.repository : undefined),
    argocd,
    trust,
    settings: () => house.settings,
    ids,
    log: { debug: logAs("debug"), info: logAs("info"), warn: logAs("warn"), error: logAs("error") },
    metrics: silent,
  };

  const received = async (words: BuildWords): Promise<Delivery[]> => {
    const caller = { subject: words.subject ?? "token:ci", groups: [] };
    return (await accept({ ...deps, store }, { report: reportOf(words, ++made), caller }, never)).deliveries;
  };
  const verifyDue = async (): Promise<void> => {
    for (const delivery of await store.claim(["received", "waiting"], 100, { owner: "verify", ms: 1 })) {
      await verify(deps, delivery, never);
    }
  };
  const claimLane = async (owner = "writer"): Promise<LaneClaim> => {
    await store.wakeLane(LANE);
    const claim = await store.claimLane({ owner, ms: 60_000 });
    if (claim === undefined) throw new Error("the lane is taken");
    return claim;
  };
  const write = async (): Promise<LaneResult> => {
    const claim = await claimLane();
    try {
      return await writeLane(deps, claim, never);
    } finally {
      await store.releaseLane(claim, 60_000);
    }
  };
  const reread = async ({ id }: { id: string }): Promise<Delivery> => {
    const delivery = await store.delivery(id);
    if (delivery === undefined) throw new Error(`delivery ${id} is gone`);
    return delivery;
  };
  /** Accepts and verifies; the first delivery of the build. */
  const ready = async (words: BuildWords): Promise<Delivery> => {
    const [first] = await received(words);
    await verifyDue();
    return reread(first!);
  };
  return {
    time,
    git,
    store,
    argocd,
    trust,
    targets,
    deps,
    logged,
    received,
    verifyDue,
    made: () => made,
    claimLane,
    write,
    reread,
    ready,
    /** Accepts, verifies and writes; the first delivery of the build. */
    async written(words: BuildWords): Promise<Delivery> {
      const delivery = await ready(words);
      await write();
      return reread(delivery);
    },
    /** Writes it, and it runs healthy. */
    async healthy(words: BuildWords): Promise<Delivery> {
      const delivery = await this.written(words);
      const ending = { outcome: "healthy", message: "Runs." } as const;
      if (!(await store.save(delivery, { phase: "done", ending }))) throw new Error("it does not follow");
      return reread(delivery);
    },
    /** One build of many apps, written, and all of it runs healthy. */
    async healthyAll(apps: readonly string[], tag: string): Promise<void> {
      for (const { id } of await received({ tag, apps: [...apps] })) {
        await verifyDue();
        await write();
        const ending = { outcome: "healthy", message: "Runs." } as const;
        await store.save(await reread({ id }), { phase: "done", ending });
      }
    },
    /** Asks for a rollback of the first target, and writes it. */
    async rolledBack(targetId = targets[0]!.id): Promise<Delivery> {
      const { delivery } = await startRollback(
        { ...deps, store },
        { caller: PERSON, targetId, why: "it charges twice" },
      );
      await verifyDue();
      await write();
      return reread(delivery);
    },
    use(change: Partial<Settings>): void {
      house.settings = { ...house.settings, ...change };
    },
    /** Another repository in the first one's place, or none. */
    useGit(repository: GitRepository | undefined): void {
      house.repository = repository;
    },
    wait: (ms: number) => time.run(time.now() + ms),
    /** `outcome(reason)` or the phase, and the message. */
    async saysOf(delivery: { id: string }): Promise<string> {
      const { phase, outcome, reason, message } = await reread(delivery);
      return `${outcome ?? phase}${reason === undefined ? "" : `(${reason})`}: ${message ?? ""}`;
    },
    eventsOf: async (delivery: { id: string }) => (await store.events(delivery.id)).map(({ kind }) => kind),
    targetState: async (id = "checkout/staging") => (await store.targetStates([id])).get(id),
    fileOf: (target = targets[0]!) => git.show(BRANCH, pathOf(target)),
    /** Deliveries named by the commits of the branch, newest first; "" for those of others. */
    writers: () => git.log(BRANCH).map(({ message }) => /^Gitspan-Delivery: (.+)$/m.exec(message)?.[1] ?? ""),
    /** Somebody writes a tag into a target's overlay by hand. */
    foreign: (tag: string, message = "by hand", target = targets[0]!) =>
      git.commit(BRANCH, { [pathOf(target)]: overlayOf(target, tag) }, message),
  };
}

export function targetOf(app: string, over: Partial<Target> = {}): Target {
  return aTarget({
    id: `${app}/staging`,
    app,
    images: [{ name: app, repository: repositoryOf(app) }],
    places: [{ format: "kustomize", directory: `apps/${app}/overlays/staging` }],
    ...over,
  });
}

export function repositoryOf(app: string): string {
  return `registry.example.com/shop/${app}`;
}

export function pathOf(target: Target): string {
  const [place] = target.places;
  if (place?.format !== "kustomize") throw new Error("these tests write kustomizations");
  return `${place.directory}/kustomization.yaml`;
}

export function overlayOf(target: Target, tag: string): string {
  const entries = target.images.map(({ repository }) => `  - name: ${repository}\n    newTag: "${tag}"\n`);
  return `images:\n${entries.join("")}`;
}

export function settingsOf(targets: readonly Target[]): Settings {
  return {
    hash: "first",
    targets: () => targets,
    target: (id) => targets.find((target) => target.id === id),
    undecided: () => undefined,
    refused: () => [],
    repository: (name) => (name === "gitops" ? { url: GIT_URL, author: AUTHOR } : undefined),
    match: (report) => ({
      matches: targets.flatMap((target) => {
        const built = (repository: string) => report.artifacts.find((one) => one.repository === repository);
        const images = target.images.flatMap((image) => {
          const { tag, digest } = built(image.repository) ?? {};
          return tag === undefined ? [] : [{ ...image, tag, ...(digest && { digest }) }];
        });
        return images.length === 0 ? [] : [{ target, images }];
      }),
      misses: [],
    }),
    allows: () => true,
  };
}

function reportOf(words: BuildWords, number: number): BuildReport {
  const {
    tag,
    apps = ["checkout"],
    digest,
    sourceTime = T0 + number * 1_000,
    sourceCommit = number.toString(16).padStart(40, "0"),
    finishedAt = T0 + number * 1_000,
  } = words;
  return {
    artifacts: apps.map((app) => ({ name: app, repository: repositoryOf(app), tag, ...(digest && { digest }) })),
    source: {
      repository: "https://git.example.com/shop/source.git",
      commit: sourceCommit,
      ...(sourceTime === null ? {} : { time: sourceTime }),
    },
    run: { kind: "PipelineRun", uid: `run-${number}`, name: `run-${number}`, finishedAt },
  };
}

/** What a repository answers that cannot be reached. */
export function unreachable(): GitspanError {
  return new GitspanError("git-unreachable", "git.example.com cannot be reached", { transient: true });
}
