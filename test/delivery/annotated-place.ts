import { systemAmbient } from "../../src/ambient.ts";
import { findApplications } from "../../src/argocd/applications.ts";
import { AnnotatedTargets } from "../../src/delivery/annotated.ts";
import type { AnnotatedState, AnnotationRules } from "../../src/model/annotated.ts";
import type { ApplicationSnapshot } from "../../src/model/application.ts";
import { GitspanError } from "../../src/model/errors.ts";
import { type ApplicationWords, anApplication, rulesOf, SHOP } from "../fakes/annotated.ts";
import type { SeedFile } from "../fakes/bare-repository.ts";
import { MemoryGit } from "../fakes/memory-git.ts";

export const never = new AbortController().signal;
export const lane = { id: "gitops@main", repository: "gitops", branch: "main" };
export const entry = (name: string) => `images: [{name: ${SHOP}/${name}, newTag: v1}]\n`;
const unreachable = () => new GitspanError("argocd-unreachable", "not known yet", { transient: true });

/** Annotated Applications over a repository in memory; `applications` is what Argo CD shows at the moment. */
export function makePlace(
  files: Record<string, SeedFile>,
  words: readonly ApplicationWords[],
  rules: AnnotationRules = rulesOf(),
) {
  const git = new MemoryGit();
  git.commit("main", files, "first");
  const logged: { message: string; fields: Record<string, unknown> }[] = [];
  const log = (message: string, fields: Record<string, unknown> = {}) => void logged.push({ message, fields });
  const place = {
    git,
    logged,
    reads: 0,
    /** Milliseconds that have passed without anybody waiting for them. */
    later: 0,
    repository: git as MemoryGit | undefined,
    applications: words.map(anApplication) as ApplicationSnapshot[] | undefined,
    woken: [] as string[],
    /** Names of Applications that are there and do not ask to be targets. */
    unannotated: [] as string[],
    /** Argo CD tells who is annotated, and then nothing more. */
    isSilent: false,
    /** The repository that never says its tip. */
    hanging: undefined as string | undefined,
  };
  const targets = new AnnotatedTargets({
    argocd: {
      async annotated() {
        if (place.applications === undefined) throw unreachable();
        return place.applications;
      },
      async snapshots(ref) {
        return place.unannotated.includes(ref.name) ? [anApplication({ name: ref.name })] : [];
      },
      async find(wanted) {
        if (place.applications === undefined || place.isSilent) throw unreachable();
        return findApplications(place.applications, wanted);
      },
    },
    repository: (name) =>
      place.repository && {
        tip: (branch, signal) =>
          name === place.hanging
            ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))
            : git.tip(branch, signal),
        listFiles: (...args) => git.listFiles(...args),
        changedPaths: (...args) => git.changedPaths(...args),
        readFiles(commit, paths, signal) {
          place.reads += paths.length;
          return git.readFiles(commit, paths, signal);
        },
      },
    clock: {
      now: () => systemAmbient.clock.now() + place.later,
      sleep: (ms, signal) => systemAmbient.clock.sleep(ms, signal),
    },
    log: { debug: () => undefined, info: log, warn: log, error: log },
    changed: (_state, lanes) => place.woken.push(...lanes),
  });
  targets.configure(rules);
  return Object.assign(place, { targets });
}

export const glance = ({ targets, refused, undecided }: AnnotatedState) => ({
  targets: targets.map(({ target: { id, places, misplaced } }) => [id, misplaced?.message ?? places]),
  refused: refused.map(({ message }) => message.replace(/^Application \S+ is no target: /, "")),
  undecided: undecided.map(({ id, why }) => [id, why]),
});
export const kustomize = (directory: string, image: string) => ({
  format: "kustomize",
  directory,
  image: `${SHOP}/${image}`,
});
