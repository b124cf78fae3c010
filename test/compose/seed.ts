import { randomBytes } from "node:crypto";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { BRANCH, OWNER, type Place, REPOSITORY } from "./place.ts";

const BOT = "gitspan";
const EXISTS = [409, 422];

/**
 * Makes the GitOps repository in Gitea, an account `gitspan` that may push to it, and the tokens. Done once: when all
 * of it is there, it changes nothing.
 */
export async function seed(place: Place, say: (line: string) => void): Promise<void> {
  const gitopsToken = join(place.secrets, "gitops-token");
  if (await isThere(gitopsToken)) {
    say("the repository and the tokens are there already");
    return;
  }
  const admin = basic("demo", place.password);
  const call = (method: string, path: string, body: unknown, allowed: number[] = []): Promise<unknown> =>
    callGitea(place, admin, { method, path, body, allowed });

  const botPassword = randomBytes(18).toString("base64url");
  const account = { username: BOT, email: "gitspan@example.com", password: botPassword, must_change_password: false };
  await call("POST", "/admin/users", account, EXISTS);
  // It may be left over from a seed that was interrupted, with a password that nobody knows.
  await call("PATCH", `/admin/users/${BOT}`, { source_id: 0, login_name: BOT, password: botPassword });
  await call("POST", "/orgs", { username: OWNER, visibility: "public" }, EXISTS);
  const repository = { name: REPOSITORY, default_branch: BRANCH, auto_init: true, readme: "Default" };
  await call("POST", `/orgs/${OWNER}/repos`, repository, EXISTS);
  await call("PUT", `/repos/${OWNER}/${REPOSITORY}/collaborators/${BOT}`, { permission: "write" });
  const files = await filesToCreate(place.files);
  const commit = { branch: BRANCH, message: "start: two apps in two environments", files };
  await call("POST", `/repos/${OWNER}/${REPOSITORY}/contents`, commit, EXISTS);
  say(`repository ${OWNER}/${REPOSITORY} with ${files.length} files`);

  const created = await callGitea(place, basic(BOT, botPassword), {
    method: "POST",
    path: `/users/${BOT}/tokens`,
    body: { name: `gitspan-${Date.now()}`, scopes: ["write:repository"] },
    allowed: [],
  });
  const token: unknown = typeof created === "object" && created !== null ? Reflect.get(created, "sha1") : undefined;
  if (typeof token !== "string") throw new Error("Gitea gave no token");
  await writeFile(join(place.secrets, "argocd-token"), randomBytes(18).toString("base64url"), { mode: 0o444 });
  // The last, for it says that all is done.
  await writeFile(gitopsToken, token, { mode: 0o444 });
  say(`account ${BOT} and its token`);
}

async function filesToCreate(folder: string): Promise<{ operation: "create"; path: string; content: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    files.toSorted().map(async (file) => ({
      operation: "create" as const,
      path: relative(folder, file),
      content: (await readFile(file)).toString("base64"),
    })),
  );
}

interface Call {
  method: string;
  path: string;
  body: unknown;
  /** Statuses that are as good as success. */
  allowed: number[];
}

async function callGitea(
  { gitea }: Place,
  authorization: string,
  { method, path, body, allowed }: Call,
): Promise<unknown> {
  const response = await fetch(`${gitea}/api/v1${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok && !allowed.includes(response.status)) {
    throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  }
  return text === "" ? undefined : JSON.parse(text);
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
