import type { Ambient } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import type { CommitInfo, CommitPlan, CommitRange, Oid, PreparedPush, PushResult } from "../model/git.ts";
import type { Relation } from "../model/order.ts";
import { ChosenObjects } from "./chosen-objects.ts";
import { changedBetween, lastChangeOf } from "./compare.ts";
import { historyOf, isAncestorOf, rangeOf, relationOf } from "./history.ts";
import { type Credentials, HttpTransport } from "./http-transport.ts";
import { LazyObjects } from "./lazy-objects.ts";
import { listFilesAt } from "./list-files.ts";
import { locationOf } from "./location.ts";
import { isOid } from "./object.ts";
import { ObjectStore } from "./object-store.ts";
import { readSigningKey } from "./openssh-key.ts";
import { preparePush } from "./prepare.ts";
import { pushPrepared } from "./push.ts";
import { readFilesAt } from "./read-files.ts";
import { Remote } from "./remote.ts";
import { RemoteCommits } from "./remote-commits.ts";
import { SnapshotObjects } from "./snapshot-objects.ts";
import type { SshAccess } from "./ssh-connection.ts";
import { sshSignature } from "./ssh-signature.ts";
import { SshTransport } from "./ssh-transport.ts";
import type { Timeouts, Transport } from "./transport.ts";

export interface RemoteRepositoryOptions {
  /** http, https (a user name and password in it are used as credentials and never shown), ssh, or `git@host:path`. */
  url: string;
  /** Of HTTP; asked before every request. */
  credentials?: () => Promise<Credentials | undefined>;
  /** The server does not take the credentials. */
  refused?: () => void;
  /** Of SSH. */
  ssh?: SshAccess;
  /** Certificates (PEM) to trust instead of the usual ones. */
  ca?: string;
  /** URL of an HTTP proxy; "" for none. Absent, the environment decides (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). */
  proxy?: string;
  /** The private key that signs commits, asked for before every push; absent, they are not signed. */
  signingKey?: () => Promise<string>;
  /** Milliseconds; default 10 s to connect, 60 s for the first byte, 300 s for a whole request. */
  timeouts?: Partial<Timeouts>;
  /** Of one file, tree or commit, inflated; default 8 MiB. */
  maxObjectBytes?: number;
  /** Of one answer on the wire; default 64 MiB. What an answer unfolds to may be four times as large. */
  maxResponseBytes?: number;
  /** Of the objects kept in memory for all lanes of the repository; default 64 MiB. */
  storeBytes?: number;
  /**
   * Of whole commits kept in memory, deflated, where the server gives out no single objects; default 256 MiB. Beyond it
   * they are fetched anew, and a repository of which one commit alone is larger cannot be used.
   */
  snapshotBytes?: number;
}

/** The part of a structured log that is used here: messages are constants, what varies is a field. */
interface DebugLog {
  debug(message: string, fields?: Record<string, unknown>): void;
}

const MIB = 1024 * 1024;

/**
 * One Git repository over smart HTTP or SSH. Fetches only the objects on the way to the files it is asked for, and keeps them; from
 * a server that does not give them out singly, whole commits (docs/git.md). Nothing is written to disk.
 * @throws GitspanError git-unsupported when the address is of none of these kinds; git-auth for SSH without a key
 */
export function openRemoteRepository(
  deps: { ambient: Ambient; log?: DebugLog },
  options: RemoteRepositoryOptions,
): RemoteRepository {
  return new RemoteRepository(deps, options);
}

/** Satisfies the application's `GitRepository` port; its methods are described there. */
export class RemoteRepository {
  readonly #deps: { ambient: Ambient; log?: DebugLog };
  readonly #transport: Transport;
  readonly #signingKey: RemoteRepositoryOptions["signingKey"];
  readonly #remote: Remote;
  /** Objects and commits. */
  readonly #objects: ChosenObjects;

  constructor(deps: { ambient: Ambient; log?: DebugLog }, options: RemoteRepositoryOptions) {
    const maxResponseBytes = options.maxResponseBytes ?? 64 * MIB;
    const { transport, url } = transportFor(deps.ambient, { ...options, maxResponseBytes });
    const limits = { objectBytes: options.maxObjectBytes ?? 8 * MIB, totalBytes: 4 * maxResponseBytes };
    const store = new ObjectStore(options.storeBytes ?? 64 * MIB);
    this.#deps = deps;
    this.#transport = transport;
    this.#signingKey = options.signingKey;
    this.#remote = new Remote(deps.ambient, transport, url);
    const objects = new LazyObjects(this.#remote, store, limits);
    const commits = new RemoteCommits(this.#remote, store, objects);
    const snapshotBytes = options.snapshotBytes ?? 256 * MIB;
    const snapshot = new SnapshotObjects(this.#remote, store, { ...limits, snapshotBytes });
    this.#objects = new ChosenObjects({ remote: this.#remote, lazy: { objects, commits }, snapshot });
  }

  /** Closes idle connections. */
  close(): void {
    this.#transport.close();
  }

  /** @throws GitspanError git-branch-missing, and those of the transport */
  async tip(branch: string, signal: AbortSignal): Promise<Oid> {
    const oid = await this.#remote.branchTip(branch, signal);
    if (oid !== undefined) {
      this.#objects.named(oid);
      return oid;
    }
    throw new GitspanError("git-branch-missing", `${this.#remote.place} has no branch ${branch}`, {
      hint: "create the branch with a first commit, or correct its name",
    });
  }

  async readFiles(commit: Oid, paths: readonly string[], signal: AbortSignal): Promise<Map<string, Uint8Array>> {
    return readFilesAt(this.#objects, { commit: checked(commit), paths }, signal);
  }

  async listFiles(commit: Oid, folders: readonly string[], signal: AbortSignal): Promise<Map<string, string[]>> {
    return listFilesAt(this.#objects, { commit: checked(commit), folders }, signal);
  }

  async changedPaths(from: Oid, to: Oid, paths: readonly string[], signal: AbortSignal): Promise<string[]> {
    return changedBetween({ objects: this.#objects }, { from: checked(from), to: checked(to), paths }, signal);
  }

  async range(base: Oid, tip: Oid, signal: AbortSignal): Promise<CommitRange> {
    const { commits, connected } = await rangeOf(this.#objects, checked(base), checked(tip), signal);
    return { commits, connected };
  }

  async history(tip: Oid, signal: AbortSignal): Promise<CommitInfo[]> {
    return historyOf(this.#objects, checked(tip), signal);
  }

  async isAncestor(ancestor: Oid, commit: Oid, signal: AbortSignal): Promise<boolean> {
    return isAncestorOf(this.#objects, checked(ancestor), checked(commit), signal);
  }

  async relation(a: Oid, b: Oid, signal: AbortSignal): Promise<Exclude<Relation, "unknown">> {
    return relationOf(this.#objects, checked(a), checked(b), signal);
  }

  async lastChange(tip: Oid, paths: readonly string[], signal: AbortSignal): Promise<CommitInfo | undefined> {
    const deps = { objects: this.#objects, commits: this.#objects };
    return lastChangeOf(deps, { tip: checked(tip), paths }, signal);
  }

  async prepare(branch: string, base: Oid, plans: readonly CommitPlan[], signal: AbortSignal): Promise<PreparedPush> {
    const key = this.#signingKey && readSigningKey(await this.#signingKey());
    const sign = key && ((bytes: Uint8Array) => sshSignature(key, bytes));
    return preparePush(this.#objects, { branch, base: checked(base), plans, sign }, signal);
  }

  async push(prepared: PreparedPush, signal: AbortSignal): Promise<PushResult> {
    const { branch, base, head, commits, pack } = prepared;
    const result = await pushPrepared({ ambient: this.#deps.ambient, remote: this.#remote }, prepared, signal);
    this.#deps.log?.debug("git push", {
      repository: this.#remote.place,
      branch,
      base,
      head,
      commits: commits.length,
      bytes: pack.length,
      result: result.kind,
      message: result.message,
    });
    return result;
  }
}

function transportFor(
  ambient: Ambient,
  options: RemoteRepositoryOptions & { maxResponseBytes: number },
): { transport: Transport; url: string } {
  const timeouts = { connectMs: 10_000, firstByteMs: 60_000, totalMs: 300_000, ...options.timeouts };
  const { ssh, credentials, refused, ca, proxy, maxResponseBytes } = options;
  const location = locationOf(options.url);
  const { url } = location;
  if (location.kind === "http") {
    const own = credentials ?? (async () => location.credentials);
    const http = { credentials: own, refused, ca, proxy, timeouts, maxResponseBytes };
    return { transport: new HttpTransport(ambient, http), url };
  }
  if (ssh === undefined) {
    throw new GitspanError("git-auth", `${url} needs an SSH key`, {
      hint: "set auth.sshKeyFile and auth.knownHostsFile",
    });
  }
  return { transport: new SshTransport(ambient, { location, access: ssh, timeouts, maxResponseBytes }), url };
}

/** Ids go into the wire as lines of their own: nothing else may. */
function checked(oid: Oid): Oid {
  if (isOid(oid)) return oid;
  throw new GitspanError("git-not-found", `"${oid.slice(0, 80)}" is not the id of a commit`, {
    hint: "write all 40 hexadecimal digits",
  });
}
