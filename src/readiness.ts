import type { Connections } from "./connections.ts";
import type { Log } from "./delivery/ports.ts";
import type { Readiness } from "./http/deps.ts";
import type { AnnotatedState } from "./model/annotated.ts";
import type { Database } from "./store/database.ts";

/** Shown without a token: what is wrong in detail goes to the log only. */
export async function readiness(database: Database, connections: Connections, log: Log): Promise<Readiness[]> {
  const store = await database.ping().then(
    () => ({ name: "store", ok: true, detail: "answers" }),
    (error: unknown) => {
      log.warn("the store is not ready", { error });
      return { name: "store", ok: false, detail: "does not answer; see the log" };
    },
  );
  // Events and last tasks still come while a stream of runs is broken, and it catches up afterwards.
  const runs = connections.runs().map(({ name, ok, detail }): Readiness => ({ name, ok, detail, advisory: true }));
  return [store, ...connections.ready(), ...runs];
}

/** Another replica, or a person who repairs a token, may still write them: this one stays ready. */
export function lanesCheck(troubled: ReadonlySet<string>): Readiness {
  const ok = troubled.size === 0;
  const detail = ok ? "can be written" : `${[...troubled].join(", ")} cannot be written; see the log or the deliveries`;
  return { name: "lanes", ok, detail, advisory: true };
}

/** Deliveries go on, but what fails now stays until a person takes it back. */
export async function brakeCheck(store: Pick<Database["store"], "brakes">, log: Log): Promise<Readiness> {
  const name = "automatic rollback";
  try {
    const pulled = await store.brakes();
    const where = pulled.map(({ cluster, until }) => `on ${cluster} until ${new Date(until).toISOString()}`);
    const detail =
      where.length === 0 ? "may fire" : `has stopped itself ${where.join(", ")}; see the log or the deliveries`;
    return { name, ok: pulled.length === 0, detail, advisory: true };
  } catch (error) {
    log.debug("the brake could not be read", { error });
    return { name, ok: false, detail: "unknown: the store does not answer", advisory: true };
  }
}

/** Targets that Applications make themselves; absent where the configuration lets none. */
export function annotatedCheck(isConfigured: boolean, state: AnnotatedState): Readiness[] {
  if (!isConfigured) return [];
  const name = "annotated Applications";
  if (!state.complete) return [{ name, ok: false, detail: "not known yet", advisory: true }];
  const { targets, refused, undecided } = state;
  const unwritable = targets.filter(({ target }) => target.misplaced !== undefined).length;
  const detail =
    `${targets.length} targets, ${unwritable} of which cannot be written, ${undecided.length} not known yet, ` +
    `${refused.length} refused; see gitspan targets list, or the log`;
  return [{ name, ok: undecided.length === 0, detail, advisory: true }];
}
