import type { Client, ClientChannel, ServerHostKeyAlgorithm } from "ssh2";
import { GitspanError, messageOf } from "../model/errors.ts";
import { fingerprintOf, keyTypeOf, type PinnedHost, pinnedHost } from "./known-hosts.ts";
import type { SshLocation } from "./location.ts";

export interface SshAccess {
  /** The private key as OpenSSH writes it, and what unlocks it; read for every new connection. */
  key: () => Promise<{ privateKey: string; passphrase?: string }>;
  /** The text of a known_hosts file: no host is trusted that is not in it. */
  knownHosts: () => Promise<string>;
}

const KEEPALIVE_MS = 30_000;

/** One connection to an SSH server, made when it is first needed and again after it broke. */
export class SshConnection {
  readonly #location: SshLocation;
  readonly #access: SshAccess;
  #client: Promise<Client> | undefined;
  /** One that is not ready yet. */
  #connecting: Client | undefined;
  /** How often it was closed: what was on its way to a connection then goes no further. */
  #closed = 0;

  constructor(location: SshLocation, access: SshAccess) {
    this.#location = location;
    this.#access = access;
  }

  get stands(): boolean {
    return this.#client !== undefined;
  }

  /** Gives up a connection that does not come about, so that the next request tries again. */
  giveUp(): void {
    this.#connecting?.destroy();
  }

  close(): void {
    this.#closed++;
    this.giveUp();
    this.#client?.then((client) => client.end()).catch(() => undefined);
    this.#client = undefined;
  }

  /**
   * Runs a command on the server.
   * @throws GitspanError git-auth for keys that one side does not accept, git-unreachable (transient)
   */
  async run(command: string, env: NodeJS.ProcessEnv): Promise<ClientChannel> {
    const client = await this.#connected();
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(unreachable(this.#location, messageOf(error)));
      try {
        client.exec(command, { env }, (error, channel) => (error ? failed(error) : resolve(channel)));
      } catch (error) {
        // Thrown when the connection has broken since.
        failed(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #connected(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const connecting = this.#connect();
    this.#client = connecting;
    const forget = (): void => {
      if (this.#client === connecting) this.#client = undefined;
    };
    connecting.then((client) => client.once("close", forget), forget);
    return connecting;
  }

  async #connect(): Promise<Client> {
    const { user, host, port } = this.#location;
    const closed = this.#closed;
    const pinned = pinnedHost(await this.#access.knownHosts(), host, port);
    if (pinned.trusted.length === 0) throw unknownHost(this.#location);
    const { privateKey, passphrase } = await this.#access.key();
    // Loaded when it is needed: most repositories are reached over https.
    const { default: ssh } = await import("ssh2");
    const parsed = ssh.utils.parseKey(privateKey, passphrase);
    if (parsed instanceof Error) throw badKey(parsed.message);

    if (closed !== this.#closed) throw unreachable(this.#location, "the connection was closed");
    const client = new ssh.Client();
    this.#connecting = client;
    let refusal: GitspanError | undefined;
    return new Promise<Client>((resolve, reject) => {
      client.once("ready", () => {
        this.#connecting = undefined;
        // Every request is several small messages: held back for one another they take a fifth of a second.
        client.setNoDelay(true);
        resolve(client);
      });
      client.on("error", (error) => {
        client.destroy();
        reject(refusal ?? failureOf(this.#location, error));
      });
      client.once("close", () => reject(refusal ?? unreachable(this.#location, "the connection was closed")));
      client.connect({
        username: user,
        host,
        port,
        privateKey,
        passphrase,
        // Only keys: passwords and questions are for people.
        authHandler: ["publickey"],
        algorithms: { serverHostKey: algorithmsFor(pinned) },
        hostVerifier: (key: Buffer) => {
          refusal = refusalOf(this.#location, pinned, key);
          return refusal === undefined;
        },
        // The caller watches the time, by its own clock.
        readyTimeout: 0,
        keepaliveInterval: KEEPALIVE_MS,
      });
    });
  }
}

/** Asks for the kinds of key that are pinned, so that a server with several shows one that we know. */
function algorithmsFor({ trusted }: PinnedHost): ServerHostKeyAlgorithm[] {
  const known: Record<string, ServerHostKeyAlgorithm[]> = {
    "ssh-ed25519": ["ssh-ed25519"],
    "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
    "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
    "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
    "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  };
  return [...new Set(trusted.flatMap((blob) => known[keyTypeOf(blob)] ?? []))];
}

function refusalOf({ url }: SshLocation, pinned: PinnedHost, key: Buffer): GitspanError | undefined {
  const shown = `${keyTypeOf(key)} ${fingerprintOf(key)}`;
  if (pinned.revoked.some((blob) => blob.equals(key))) {
    return new GitspanError("git-auth", `the server of ${url} has the key ${shown}, which is revoked`, {
      hint: "find out whose server that is; nothing was sent to it",
    });
  }
  if (pinned.trusted.some((blob) => blob.equals(key))) return undefined;
  return new GitspanError("git-auth", `the server of ${url} has the key ${shown}, which is not the one that is known`, {
    hint: "somebody may stand between, or the server has a new key: check it and put it into knownHostsFile",
  });
}

function unknownHost({ url, host, port }: SshLocation): GitspanError {
  const scan = port === 22 ? `ssh-keyscan ${host}` : `ssh-keyscan -p ${port} ${host}`;
  return new GitspanError("git-auth", `knownHostsFile has no key for the server of ${url}`, {
    hint: `get it with "${scan}", compare it with what the server's owner publishes, and add the line`,
  });
}

function badKey(why: string): GitspanError {
  return new GitspanError("git-auth", `the SSH key cannot be used: ${why}`, {
    hint: "sshKeyFile takes a private key as ssh-keygen makes it; passphraseFile holds what unlocks it",
  });
}

function failureOf(location: SshLocation, error: Error & { level?: string }): GitspanError {
  if (error.level === "client-authentication") {
    return new GitspanError("git-auth", `${location.url} does not accept the SSH key`, {
      hint: "add the public key to the account or to the repository's deploy keys, with the right to write",
      cause: error,
    });
  }
  return unreachable(location, messageOf(error));
}

function unreachable({ url }: SshLocation, why: string): GitspanError {
  return new GitspanError("git-unreachable", `${url} cannot be reached: ${why}`, {
    hint: "check the address, the network and the server",
    transient: true,
  });
}
