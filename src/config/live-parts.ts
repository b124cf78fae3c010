import { isDeepStrictEqual } from "node:util";

interface Closable {
  close(): Promise<void> | void;
}

interface Open<C, P> {
  configuration: C;
  part: P;
}

/** A change that is ready to come into force. */
export interface PreparedChange {
  /** Puts it into force, all at once. */
  swap(): void;
  /** Closes what is no longer used: the replaced parts after a swap, the new ones without it. */
  settle(): Promise<void>;
}

/** What is kept open for each name of a configuration: a part whose own configuration is unchanged stays as it is. */
export class LiveParts<C, P extends Closable> {
  readonly #open: (configuration: C, name: string) => Promise<P>;
  #parts = new Map<string, Open<C, P>>();

  constructor(open: (configuration: C, name: string) => Promise<P>) {
    this.#open = open;
  }

  get(name: string): P | undefined {
    return this.#parts.get(name)?.part;
  }

  values(): P[] {
    return [...this.#parts.values()].map(({ part }) => part);
  }

  /** Opens what is new or different. Throws what opening throws; nothing has changed and nothing new is open then. */
  async prepare(wanted: ReadonlyMap<string, C>): Promise<PreparedChange> {
    const before = this.#parts;
    const opened: P[] = [];
    const after = new Map<string, Open<C, P>>();
    try {
      for (const [name, configuration] of wanted) {
        const known = before.get(name);
        if (known !== undefined && isDeepStrictEqual(known.configuration, configuration)) {
          after.set(name, known);
          continue;
        }
        const part = await this.#open(configuration, name);
        opened.push(part);
        after.set(name, { configuration, part });
      }
    } catch (error) {
      await closeAll(opened);
      throw error;
    }
    let unused: readonly P[] = opened;
    return {
      swap: () => {
        const kept = new Set([...after.values()].map(({ part }) => part));
        unused = [...before.values()].map(({ part }) => part).filter((part) => !kept.has(part));
        this.#parts = after;
      },
      settle: () => closeAll(unused),
    };
  }

  async close(): Promise<void> {
    const parts = this.values();
    this.#parts = new Map();
    await closeAll(parts);
  }
}

async function closeAll(parts: readonly Closable[]): Promise<void> {
  for (const part of parts) await part.close();
}
