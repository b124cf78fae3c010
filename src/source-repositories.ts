import type { Log } from "./delivery/ports.ts";
import type { RemoteRepository } from "./git/repository.ts";
import type { Ambient } from "./model/ambient.ts";
import { addressBy } from "./model/repository-url.ts";
import { openRepository, type RepositoryLocation } from "./repository-connection.ts";

/** Commits only, and only the graph of them is used: little is worth keeping. */
const STORE_BYTES = 8 * 1024 * 1024;
/** Open at the same time; builds name repositories, so not without end. */
const MAX_OPEN = 100;

type Opened = ReturnType<typeof openRepository>;

/** The source repositories that a configuration lets us read, each opened when it is first asked for. */
export class SourceRepositories {
  readonly #deps: { ambient: Ambient; log: Log };
  readonly #locations: readonly RepositoryLocation[];
  readonly #open = new Map<string, Opened>();

  constructor(deps: { ambient: Ambient; log: Log }, locations: readonly RepositoryLocation[]) {
    this.#deps = deps;
    this.#locations = locations;
  }

  /**
   * The repository that a build names, by the first entry that covers it; undefined when none does. The address that is
   * used is made of the entry: a build cannot send credentials anywhere else.
   */
  find(url: string): RemoteRepository | undefined {
    for (const location of this.#locations) {
      const address = addressBy(location.url, url);
      if (address !== undefined) return this.#opened(address, location);
    }
    return undefined;
  }

  close(): void {
    for (const { close } of this.#open.values()) close();
    this.#open.clear();
  }

  #opened(url: string, location: RepositoryLocation): RemoteRepository {
    const known = this.#open.get(url);
    const opened = known ?? openRepository(this.#deps, { ...location, url, storeBytes: STORE_BYTES });
    // A Map iterates in order of insertion: putting it back makes it the youngest.
    this.#open.delete(url);
    this.#open.set(url, opened);
    const [oldest] = this.#open;
    if (this.#open.size > MAX_OPEN && oldest !== undefined) {
      this.#open.delete(oldest[0]);
      oldest[1].close();
    }
    return opened.git;
  }
}
