import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../model/ambient.ts";
import { messageOf } from "../model/errors.ts";
import type { Configuration } from "./configuration.ts";
import { loadConfiguration } from "./load.ts";

/** How often the file is read again; what the system tells of changes only makes it sooner. */
const POLL_MS = 2_000;
/** A file that is being written is taken up when it stays the same for so long: half of it may be valid too. */
const SETTLE_MS = 250;

/** What comes into force while the bridge runs; everything else needs a restart. */
const LIVE: ReadonlySet<string> = new Set<keyof Configuration>([
  "file",
  "hash",
  "repositories",
  "argocd",
  "tekton",
  "environments",
  "apps",
  "targets",
  "pattern",
  "annotated",
  "access",
  "signatures",
]);

export interface LiveConfigurationDeps {
  clock: Clock;
  log: {
    info(message: string, fields?: Record<string, unknown>): void;
    error(message: string, fields?: Record<string, unknown>): void;
  };
  /** The file's text as it is now; rejects when it cannot be read. */
  read: (file: string) => Promise<string>;
  /** Yields whenever the file may have changed. */
  hints: (file: string, signal: AbortSignal) => AsyncIterable<unknown>;
  /** Brings a configuration into force, or throws and leaves everything as it is. */
  apply: (next: Configuration) => Promise<void>;
}

interface Seen {
  text?: string;
  error?: unknown;
}

/** Keeps the last good configuration in force while its file changes, and says what is wrong with a later one. */
export class LiveConfiguration {
  readonly #deps: LiveConfigurationDeps;
  readonly #started: Configuration;
  #current: Configuration;
  /** What was looked at last; undefined: look again, whatever it is. */
  #seen: Seen | undefined;
  #problem: string | undefined;
  #needsRestart: string[] = [];
  #queue: Promise<void> = Promise.resolve();
  #wake = new AbortController();

  constructor(deps: LiveConfigurationDeps, started: { configuration: Configuration; text: string }) {
    this.#deps = deps;
    this.#started = started.configuration;
    this.#current = started.configuration;
    this.#seen = { text: started.text };
  }

  /** The configuration in force. */
  get current(): Configuration {
    return this.#current;
  }

  /** For `/readyz?verbose`: a broken file is said, but the bridge works on with the last good one. */
  check(): { name: string; ok: boolean; detail: string; advisory: true } {
    const hash = this.#current.hash.slice(0, 12);
    if (this.#problem !== undefined) {
      const detail = `the file is broken, ${hash} stays in force: ${this.#problem}`;
      return { name: "configuration", ok: false, detail, advisory: true };
    }
    if (this.#needsRestart.length > 0) {
      const detail = `${hash} is in force, but changes of ${this.#needsRestart.join(", ")} need a restart`;
      return { name: "configuration", ok: false, detail, advisory: true };
    }
    return { name: "configuration", ok: true, detail: `${hash} is in force`, advisory: true };
  }

  /** Reads the file now and applies it, changed or not: what it points to may have changed. Never rejects. */
  reload(): Promise<void> {
    this.#queue = this.#queue.then(async () => this.#take(await this.#look()));
    return this.#queue;
  }

  /** Takes up changes until the signal aborts. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const hinted = this.#listen(signal);
    while (!signal.aborted) {
      await clock.sleep(POLL_MS, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
      this.#wake = new AbortController();
      if (signal.aborted) break;
      this.#queue = this.#queue.then(() => this.#takeChange(signal));
      await this.#queue;
    }
    await hinted;
  }

  async #listen(signal: AbortSignal): Promise<void> {
    try {
      for await (const _ of this.#deps.hints(this.#current.file, signal)) this.#wake.abort();
    } catch {
      // Not every file system tells of changes; polling finds them all.
    }
  }

  async #takeChange(signal: AbortSignal): Promise<void> {
    let found = await this.#look();
    if (isSame(found, this.#seen)) return;
    for (;;) {
      await this.#deps.clock.sleep(SETTLE_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      const later = await this.#look();
      if (isSame(found, later)) break;
      found = later;
    }
    if (!isSame(found, this.#seen)) await this.#take(found);
  }

  async #look(): Promise<Seen> {
    try {
      return { text: await this.#deps.read(this.#current.file) };
    } catch (error) {
      return { error };
    }
  }

  async #take(found: Seen): Promise<void> {
    this.#seen = found;
    try {
      if (found.text === undefined) throw found.error;
      const next = loadConfiguration(found.text, this.#current.file);
      await this.#apply(next);
      this.#current = next;
      this.#problem = undefined;
      this.#needsRestart = differences(this.#started, next);
      const fields = { hash: next.hash, targets: next.targets.length, needsRestart: this.#needsRestart };
      this.#deps.log.info("the configuration was read again", fields);
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) {
        this.#deps.log.error("the configuration is broken, the last good one stays in force", { problem });
      }
      this.#problem = problem;
    }
  }

  async #apply(next: Configuration): Promise<void> {
    try {
      await this.#deps.apply(next);
    } catch (error) {
      // What it needs (a certificate, a kubeconfig) may come later, without the file being touched.
      this.#seen = undefined;
      throw error;
    }
  }
}

/** Top-level keys that differ and do not come into force by themselves. */
function differences(a: Configuration, b: Configuration): string[] {
  const [left, right] = [new Map<string, unknown>(Object.entries(a)), new Map<string, unknown>(Object.entries(b))];
  return [...new Set([...left.keys(), ...right.keys()])].filter(
    (key) => !LIVE.has(key) && !isDeepStrictEqual(left.get(key), right.get(key)),
  );
}

function isSame(a: Seen, b: Seen | undefined): boolean {
  if (b === undefined) return false;
  if (a.text !== undefined || b.text !== undefined) return a.text === b.text;
  return messageOf(a.error) === messageOf(b.error);
}
