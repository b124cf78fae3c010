import type { Clock } from "../model/ambient.ts";
import type { Build } from "../model/build.ts";
import type { Oid } from "../model/git.ts";
import type { Relation } from "../model/order.ts";
import { isSameRepository } from "../model/repository-url.ts";

interface CommitGraph {
  relation(a: Oid, b: Oid, signal: AbortSignal): Promise<Relation>;
}

interface Deps {
  clock: Clock;
  /** The repository with this address; undefined when nothing is known of it. */
  repository: (url: string) => CommitGraph | undefined;
  log: { warn(message: string, fields?: Record<string, unknown>): void };
}

/** A lane waits so long for a source repository; then completion decides, with a warning. */
const LIMIT_MS = 10_000;
/** One that could not be read is left alone for so long, and every build of it counts as of unknown history. */
const REST_MS = 60_000;
const MAX_RELATIONS = 10_000;

/**
 * Orders builds by the history of their source commits; satisfies the application's `SourceHistory` port. Whatever is
 * wrong with a source repository, the answer is "unknown" within a bounded time: a lane holds many apps.
 */
export function sourceHistory({ clock, repository, log }: Deps): {
  relation(a: Build, b: Build, signal: AbortSignal): Promise<Relation>;
} {
  /** What was found out between commits never changes; what was not is looked for again after a while. */
  const relations = new Map<string, { relation: Relation; until: number }>();
  const resting = new Map<string, number>();

  const remember = (key: string, relation: Relation): Relation => {
    const isFinal = relation === "ancestor" || relation === "descendant";
    const until = isFinal ? Number.POSITIVE_INFINITY : clock.now() + REST_MS;
    relations.set(key, { relation, until });
    const [oldest] = relations.keys();
    if (relations.size > MAX_RELATIONS && oldest !== undefined) relations.delete(oldest);
    return relation;
  };

  return {
    async relation(a, b, signal) {
      const [one, two] = [a.source, b.source];
      if (!isSameRepository(one.repository, two.repository)) return "unknown";
      if (one.commit === two.commit) return "same";
      const key = `${one.commit} ${two.commit}`;
      const known = relations.get(key);
      if (known !== undefined && known.until > clock.now()) return known.relation;
      const graph = repository(one.repository);
      if (graph === undefined || (resting.get(one.repository) ?? 0) > clock.now()) return "unknown";
      try {
        const relation = await limited(clock, signal, (limit) => graph.relation(one.commit, two.commit, limit));
        resting.delete(one.repository);
        return remember(key, relation);
      } catch (error) {
        signal.throwIfAborted();
        resting.set(one.repository, clock.now() + REST_MS);
        log.warn("the history of a source repository could not be read", { repository: one.repository, error });
        return "unknown";
      }
    },
  };
}

async function limited<T>(clock: Clock, signal: AbortSignal, ask: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = new AbortController();
  clock.sleep(LIMIT_MS, done.signal).then(
    () => late.abort(new Error(`it took longer than ${LIMIT_MS} ms`)),
    () => undefined,
  );
  try {
    return await ask(AbortSignal.any([signal, late.signal]));
  } finally {
    done.abort();
  }
}
