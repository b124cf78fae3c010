import { ApplicationIndex } from "../../src/argocd/application-index.ts";
import { annotatedOf, findApplications } from "../../src/argocd/applications.ts";
import { sickOf } from "../../src/argocd/sick.ts";
import { toSnapshot } from "../../src/argocd/snapshot.ts";
import { judge } from "../../src/argocd/verdict.ts";
import type { ArgoCd, GitRepository } from "../../src/delivery/ports.ts";
import type { Clock, Random } from "../../src/model/ambient.ts";
import type { ApplicationRef, ApplicationSnapshot, Inspection, InspectionKind } from "../../src/model/application.ts";
import type { Place, Target } from "../../src/model/target.ts";
import type { Branch } from "./simulated-argocd/kustomization.ts";
import { DURATIONS, World } from "./simulated-argocd/world.ts";

export interface MemoryArgoCdInput {
  clock: Clock;
  git: Pick<GitRepository, "tip" | "readFiles">;
  repositoryUrl: string;
  branch: string;
  /** One Application `argocd/<app>-<environment>` per kustomize place. */
  targets: readonly Pick<Target, "app" | "environment" | "places">[];
  /** Makes roll-outs of this run slower or faster; without it they take two seconds. */
  random?: Random;
  cluster?: string;
}

/**
 * The `ArgoCd` port over the simulated world, without HTTP and without timers: time passes when somebody asks, up to
 * the given clock's now.
 */
export class MemoryArgoCd implements ArgoCd {
  readonly world: World;
  readonly judge = judge;
  readonly #cluster: string;
  readonly #index = new ApplicationIndex();

  constructor(input: MemoryArgoCdInput) {
    this.#cluster = input.cluster ?? "main";
    const slow = input.random === undefined ? 1 : 0.5 + input.random.next() * 10;
    this.world = new World(
      { clock: input.clock, read: (branch) => readBranch(input.git, branch) },
      {
        applications: input.targets.flatMap(({ app, environment, places }) =>
          foldersOf(places).map((directory, index) => ({
            name: index === 0 ? `${app}-${environment}` : `${app}-${environment}-${index + 1}`,
            repoURL: input.repositoryUrl,
            branch: input.branch,
            path: directory,
          })),
        ),
        durations: { pollMs: 120_000, rolloutMs: DURATIONS.rolloutMs * slow },
      },
    );
    for (const object of this.world.list()) this.#index.put(toSnapshot(this.#cluster, object));
    this.world.onEvent(({ type, object }) => {
      const snapshot = toSnapshot(this.#cluster, object);
      if (type === "DELETED") this.#index.remove(snapshot.ref);
      else this.#index.put(snapshot);
    });
  }

  async find(wanted: {
    repositoryUrl: string;
    branch: string;
    paths: readonly string[];
  }): Promise<Map<string, ApplicationRef[]>> {
    await this.world.advance();
    return findApplications(
      this.world.list().map((object) => toSnapshot(this.#cluster, object)),
      wanted,
    );
  }

  async annotated(): Promise<ApplicationSnapshot[]> {
    await this.world.advance();
    return annotatedOf(this.#index.all());
  }

  async snapshots(ref: ApplicationRef, afterVersion: string | undefined): Promise<ApplicationSnapshot[]> {
    await this.world.advance();
    return this.#index.since(ref, afterVersion);
  }

  async terminate(ref: ApplicationRef): Promise<void> {
    await this.world.advance();
    this.world.terminate(ref.namespace, ref.name);
  }

  async sick(cluster: string, withinMs: number): Promise<{ total: number; degraded: ApplicationRef[] }> {
    await this.world.advance();
    return sickOf(this.#index.all(), { cluster, withinMs });
  }

  async refresh(ref: ApplicationRef, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.world.advance();
    this.world.refresh(ref.namespace, ref.name);
  }

  /** The simulated cluster has no Pods of its own. */
  async inspect(_ref: ApplicationRef, kind: InspectionKind, signal: AbortSignal): Promise<Inspection> {
    signal.throwIfAborted();
    return { kind };
  }
}

async function readBranch(git: MemoryArgoCdInput["git"], branch: string): Promise<Branch> {
  const signal = new AbortController().signal;
  const sha = await git.tip(branch, signal);
  return {
    sha,
    async file(path) {
      const bytes = (await git.readFiles(sha, [path], signal)).get(path);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
  };
}

/** The simulated cluster renders kustomizations only. */
function foldersOf(places: readonly Place[]): string[] {
  return [...new Set(places.flatMap((place) => (place.format === "kustomize" ? [place.directory] : [])))];
}
