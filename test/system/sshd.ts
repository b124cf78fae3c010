/** The real sshd on loopback with a configuration of its own, and Debian's packages for it where root may install them. */
import { execFile, spawn } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SSHD = "/usr/sbin/sshd";

/** Undefined when sshd and ssh-keygen are there; otherwise why not. */
export async function whyNoSshd(): Promise<string | undefined> {
  const isThere = (): Promise<boolean> =>
    Promise.all([
      access(SSHD),
      run("ssh-keygen", ["-?"]).catch((error: unknown) => {
        if ((error as { code?: unknown }).code === "ENOENT") throw error;
      }),
    ]).then(
      () => true,
      () => false,
    );
  if (await isThere()) return undefined;
  if (process.getuid?.() !== 0) return "sshd is not installed, and installing it needs root";
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], { env });
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "openssh-server", "openssh-client"], {
      env,
    });
  } catch (error) {
    return `openssh-server cannot be installed: ${String(error).split("\n")[0]}`;
  }
  return (await isThere()) ? undefined : "openssh-server was installed, and sshd is still not there";
}

export interface Sshd {
  /** `ssh://user@127.0.0.1:port` and the folder's path. */
  url(path: string): string;
  /** Paths of files. */
  key: string;
  knownHosts: string;
  close(): Promise<void>;
}

/** Lets the user who runs this in, by a new key; `acceptEnv` as in sshd_config. */
export async function startSshd(options: { acceptEnv?: string; hashed?: boolean } = {}): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), "gitspan-sshd-"));
  const at = (name: string): string => join(folder, name);
  const user = userInfo().username;
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("key")]);
  for (const type of ["ed25519", "rsa"])
    await run("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", at(`host_${type}`)]);
  const port = await freePort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${at("host_ed25519")}`,
    `HostKey ${at("host_ecdsa")}`,
    `AuthorizedKeysFile ${at("key.pub")}`,
    `PidFile ${at("pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    ...(options.acceptEnv === undefined ? [] : [`AcceptEnv ${options.acceptEnv}`]),
  ];
  await writeFile(at("config"), `${config.join("\n")}\n`);
  // Where sshd gives up its rights; Debian's service makes it.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  const child = spawn(SSHD, ["-D", "-e", "-f", at("config")], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await answering(port, () => said);
  const hostKey = (await readFile(at("host_ed25519.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
  await writeFile(at("known_hosts"), `[127.0.0.1]:${port} ${hostKey}\n`);
  if (options.hashed === true) await run("ssh-keygen", ["-q", "-H", "-f", at("known_hosts")]);
  return {
    url: (path) => `ssh://${user}@127.0.0.1:${port}${path}`,
    key: at("key"),
    knownHosts: at("known_hosts"),
    async close() {
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function answering(port: number, said: () => string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`sshd does not answer: ${said()}`);
}
