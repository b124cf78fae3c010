/** An SSH server in this process that runs the real git programs on bare repositories: what sshd does, without sshd. */
import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import ssh from "ssh2";
import { gitEnvironment } from "./bare-repository.ts";

export interface SshAccount {
  privateKey: string;
  publicKey: string;
}

export type SshKeyType = "ed25519" | "rsa" | "ecdsa";

/** A key pair as OpenSSH writes it. */
export function newSshKey(type: SshKeyType = "ed25519", passphrase?: string): SshAccount {
  const locked = passphrase === undefined ? {} : { passphrase, cipher: "aes256-ctr", rounds: 4 };
  const bits = { ed25519: {}, rsa: { bits: 2048 }, ecdsa: { bits: 256 } }[type];
  for (;;) {
    const pair = ssh.utils.generateKeyPairSync(type as "rsa", { ...bits, ...locked } as { bits: number });
    // The library's generator now and then writes a key that it cannot read itself.
    if (!(ssh.utils.parseKey(pair.private, passphrase) instanceof Error)) {
      return { privateKey: pair.private, publicKey: pair.public };
    }
  }
}

export interface GitSshServer {
  port: number;
  /** `ssh://git@127.0.0.1:port/<repo>.git` */
  url(repo: string): string;
  /** The line that pins this server's first key. */
  knownHosts: string;
  /** Commands that were run, in order. */
  commands: string[];
  /** What the next program says on its error stream instead of running. */
  refuseNext(words: string): void;
  /** Ends every connection; the server goes on. */
  cut(): void;
  close(): Promise<void>;
}

export async function startGitSshServer(options: {
  root: string;
  /** The public key that may enter. */
  authorized: string;
  hostKeys?: SshAccount[];
  /** sshd hands on only variables that AcceptEnv names; Debian's default does not name GIT_PROTOCOL. */
  acceptsProtocol?: boolean;
}): Promise<GitSshServer> {
  const { root, acceptsProtocol = true, hostKeys = [newSshKey()] } = options;
  const authorized = ssh.utils.parseKey(options.authorized);
  if (authorized instanceof Error) throw authorized;
  const commands: string[] = [];
  const refusals: string[] = [];
  const clients = new Set<ssh.Connection>();

  const server = new ssh.Server({ hostKeys: hostKeys.map(({ privateKey }) => privateKey) }, (client) => {
    clients.add(client);
    client.on("error", () => undefined);
    (client as unknown as ssh.Client).setNoDelay(true);
    client.on("close", () => clients.delete(client));
    client.on("authentication", (context) => {
      const isOurs = context.method === "publickey" && context.key.data.equals(authorized.getPublicSSH());
      if (!isOurs || context.username !== "git") return context.reject(["publickey"]);
      const { signature, blob = Buffer.alloc(0), hashAlgo } = context;
      // Without a signature the client only asks whether the key would do. An answer other than true is an error.
      const verified: unknown = signature === undefined ? true : authorized.verify(blob, signature, hashAlgo);
      if (verified === true) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("session", (accept) => {
      const session = accept();
      const env: NodeJS.ProcessEnv = {};
      session.on("env", (_accept, _reject, { key, val }) => {
        if (acceptsProtocol && key === "GIT_PROTOCOL") env[key] = val;
      });
      session.on("exec", (acceptExec, _reject, { command }) => {
        commands.push(command);
        const channel = acceptExec();
        const refusal = refusals.shift();
        if (refusal !== undefined) {
          channel.stderr.end(`${refusal}\n`);
          channel.exit(1);
          channel.end();
          return;
        }
        // The shell takes the quotes off, as sshd's does.
        const child = spawn("sh", ["-c", command], { cwd: root, env: { ...gitEnvironment, ...env } });
        child.stdin.on("error", () => undefined);
        channel.pipe(child.stdin);
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        child.on("close", (code) => {
          channel.exit(code ?? 255);
          channel.end();
        });
        channel.on("close", () => child.kill());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const [first] = hostKeys;
  return {
    port,
    url: (repo) => `ssh://git@127.0.0.1:${port}${join(root, `${repo}.git`)}`,
    knownHosts: `[127.0.0.1]:${port} ${first?.publicKey.split(" ").slice(0, 2).join(" ")}\n`,
    commands,
    refuseNext: (words) => void refusals.push(words),
    cut: () => {
      for (const client of clients) client.end();
    },
    async close() {
      for (const client of clients) client.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
