/** Gitea with an organisation `platform`, an administrator, a user that may write and one that may only read. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { asset, program } from "../cache.ts";
import { giteaApi } from "../gitea-api.ts";
import { addresses, stateFile } from "../places.ts";
import { answers, start, step, waitFor } from "../supervisor.ts";

/** `bot` may write to every repository of the organisation, `reader` only read. */
export type GiteaUser = "admin" | "bot" | "reader";
export const ORGANISATION = "platform";

const home = stateFile("gitea");
const config = path.join(home, "app.ini");
const names: Readonly<Record<GiteaUser, string>> = { admin: "gitea-admin", bot: "bot", reader: "reader" };
const env = {
  HOME: home,
  GITEA_WORK_DIR: home,
  GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: "true",
};

export function giteaTokenFile(user: GiteaUser): string {
  return path.join(home, `${user}.token`);
}

export async function startGitea(): Promise<void> {
  await step("Gitea", async () => {
    if (!existsSync(config)) await initialise();
    start({ name: "gitea", command: [program("gitea", "gitea"), "-c", config, "web"], cwd: home, env });
    await waitFor("Gitea", ["gitea"], () => answers(`${addresses.gitea}/api/healthz`), 90);
    for (const user of Object.keys(names).filter(isGiteaUser)) createUser(user);
    const access = { url: addresses.gitea, token: readFileSync(giteaTokenFile("admin"), "utf8").trim() };
    const made = await giteaApi(access, "POST", "/orgs", { username: ORGANISATION, visibility: "public" });
    if (!made.ok && made.status !== 422) throw new Error(`Gitea: ${made.status} ${await made.text()}`);
  });
}

function isGiteaUser(name: string): name is GiteaUser {
  return name in names;
}

function gitea(...args: string[]): string {
  return execFileSync(program("gitea", "gitea"), ["-c", config, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function createUser(user: GiteaUser): void {
  if (existsSync(giteaTokenFile(user))) return;
  const name = names[user];
  const admin = user === "admin" ? ["--admin"] : [];
  const password = randomBytes(12).toString("hex");
  const account = ["--username", name, "--password", password, "--email", `${name}@e2e.invalid`];
  gitea("admin", "user", "create", ...account, "--must-change-password=false", ...admin);
  const token = gitea(
    "admin",
    "user",
    "generate-access-token",
    "--username",
    name,
    "--token-name",
    "e2e",
    "--scopes",
    "all",
    "--raw",
  );
  // Log lines may come first.
  writeFileSync(giteaTokenFile(user), `${token.trim().split("\n").at(-1)}\n`, { mode: 0o600 });
}

async function initialise(): Promise<void> {
  for (const folder of ["data", "repositories"]) mkdirSync(path.join(home, folder), { recursive: true });
  const secret = () => randomBytes(32).toString("base64url");
  const internal = execFileSync(program("gitea", "gitea"), ["generate", "secret", "INTERNAL_TOKEN"], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, ...env },
  });
  writeFileSync(
    config,
    `APP_NAME = gitspan e2e
RUN_MODE = prod
RUN_USER = root
WORK_PATH = ${home}
[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = 3000
DOMAIN = 127.0.0.1
ROOT_URL = ${addresses.gitea}/
STATIC_ROOT_PATH = ${asset("gitea", ".")}
OFFLINE_MODE = true
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
PATH = ${home}/data/gitea.db
SQLITE_JOURNAL_MODE = WAL
[repository]
ROOT = ${home}/repositories
DEFAULT_BRANCH = main
[security]
INSTALL_LOCK = true
SECRET_KEY = ${secret()}
INTERNAL_TOKEN = ${internal.trim()}
PASSWORD_HASH_ALGO = pbkdf2_v2
[oauth2]
JWT_SECRET = ${secret()}
[webhook]
ALLOWED_HOST_LIST = loopback
[service]
DISABLE_REGISTRATION = true
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[packages]
ENABLED = false
[cron]
ENABLED = false
[log]
MODE = console
LEVEL = Info
logger.router.MODE = console
`,
    { mode: 0o600 },
  );
  gitea("migrate");
}
