import type { ApplicationRef, ApplicationSnapshot } from "../model/application.ts";
import { formatApplicationRef } from "../model/application.ts";

/** Failed operations were visible for 22 ms: a look must find every version since the one before. */
const KEPT_VERSIONS = 32;

export type ChangeListener = (ref: ApplicationRef) => void;

/** Older versions of all Applications together, about 30 MB: a push that changes thousands must not fill memory. */
const KEPT_IN_ALL = 20_000;

/** The last versions of every Application that was seen, per cluster and namespace. */
export class ApplicationIndex {
  readonly #rings = new Map<string, ApplicationSnapshot[]>();
  /** Versions that are not the newest of their Application, in the order in which they were replaced. */
  readonly #replaced = new Set<ApplicationSnapshot>();
  readonly #listeners = new Set<ChangeListener>();

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Keeps a version; one that is not newer than the last of the same object is dropped. */
  put(snapshot: ApplicationSnapshot): void {
    const key = formatApplicationRef(snapshot.ref);
    const ring = this.#rings.get(key) ?? [];
    const last = ring.at(-1);
    if (last !== undefined && !isNewer(snapshot, last)) return;
    // Another object of the same name has no history.
    const isAnother = last !== undefined && last.uid !== snapshot.uid;
    if (isAnother) this.#forget(ring);
    const kept = isAnother ? [] : ring;
    // Thousands of Applications are compared every two minutes with no other change: that must not fill memory.
    if (last !== undefined && !isAnother && stateOf(last) === stateOf(snapshot)) kept.pop();
    else if (last !== undefined && !isAnother) this.#replaced.add(last);
    kept.push(snapshot);
    if (kept.length > KEPT_VERSIONS) this.#forget(kept.splice(0, 1));
    this.#rings.set(key, kept);
    this.#trim();
    this.#tell(snapshot.ref);
  }

  remove(ref: ApplicationRef): void {
    const key = formatApplicationRef(ref);
    const ring = this.#rings.get(key);
    if (ring === undefined) return;
    this.#forget(ring);
    this.#rings.delete(key);
    this.#tell(ref);
  }

  /**
   * A complete list of one scope: what it lacks is gone. With `rewind` a version older than the one we hold counts too:
   * a list that Kubernetes reads from its quorum shows that the cluster was restored from a backup.
   */
  replace(
    snapshots: readonly ApplicationSnapshot[],
    inScope: (ref: ApplicationRef) => boolean,
    { rewind = false }: { rewind?: boolean } = {},
  ): void {
    const listed = new Set(snapshots.map(({ ref }) => formatApplicationRef(ref)));
    for (const { ref } of this.all()) {
      if (inScope(ref) && !listed.has(formatApplicationRef(ref))) this.remove(ref);
    }
    for (const snapshot of snapshots) {
      const last = this.newest(snapshot.ref);
      if (rewind && last !== undefined && isNewer(last, snapshot)) {
        const key = formatApplicationRef(snapshot.ref);
        this.#forget(this.#rings.get(key) ?? []);
        this.#rings.delete(key);
      }
      this.put(snapshot);
    }
  }

  /** The newest version of each. */
  all(): ApplicationSnapshot[] {
    return [...this.#rings.values()].flatMap((ring) => ring.slice(-1));
  }

  newest(ref: ApplicationRef): ApplicationSnapshot | undefined {
    return this.#rings.get(formatApplicationRef(ref))?.at(-1);
  }

  /**
   * The versions after one, oldest first; always at least the newest, [] when there is none. A version asked for that
   * is not kept may be older than all of them, or newer when another replica is ahead of this one.
   */
  since(ref: ApplicationRef, afterVersion: string | undefined): ApplicationSnapshot[] {
    const ring = this.#rings.get(formatApplicationRef(ref)) ?? [];
    if (afterVersion === undefined) return ring.slice(-1);
    const known = ring.findIndex(({ resourceVersion }) => resourceVersion === afterVersion);
    const newer =
      known < 0 ? ring.filter((seen) => isLater(seen.resourceVersion, afterVersion)) : ring.slice(known + 1);
    return newer.length > 0 ? newer : ring.slice(-1);
  }

  #forget(versions: readonly ApplicationSnapshot[]): void {
    for (const version of versions) this.#replaced.delete(version);
  }

  /** The version that was replaced longest ago goes first. */
  #trim(): void {
    for (const oldest of this.#replaced) {
      if (this.#replaced.size <= KEPT_IN_ALL) return;
      this.#replaced.delete(oldest);
      const ring = this.#rings.get(formatApplicationRef(oldest.ref));
      const index = ring?.indexOf(oldest) ?? -1;
      if (index >= 0) ring?.splice(index, 1);
    }
  }

  #tell(ref: ApplicationRef): void {
    for (const listener of this.#listeners) listener(ref);
  }
}

/** Kubernetes calls versions opaque; etcd's are numbers that grow, and only where both are numbers are they compared. */
function isNewer(snapshot: ApplicationSnapshot, last: ApplicationSnapshot): boolean {
  if (snapshot.uid !== last.uid) return true;
  return isLater(snapshot.resourceVersion, last.resourceVersion);
}

export function isLater(a: string, b: string): boolean {
  if (a === b) return false;
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return true;
  return BigInt(a) > BigInt(b);
}

/** Everything but when it was compared. */
function stateOf(snapshot: ApplicationSnapshot): string {
  const { resourceVersion: _version, reconciledAt: _compared, annotations, ...rest } = snapshot;
  return JSON.stringify([rest, annotations.skipReconcile]);
}
