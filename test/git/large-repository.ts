/** A repository that is dear to fetch whole: its files do not compress well. */
import { createHash } from "node:crypto";
import type { GitServer } from "../fakes/git-http-server.ts";

const APPS = 300;

export function pathOf(app: number): string {
  return `apps/team-${app % 5}/app-${app}/kustomization.yaml`;
}

/** About 700 bytes that are others for every application, and differ in one line from tag to tag. */
export function noise(app: number, tag: string): string {
  const lines = Array.from({ length: 10 }, (_, line) => createHash("sha256").update(`${app} ${line}`).digest("hex"));
  return `# ${lines.join("\n# ")}\nnewTag: ${tag}\n`;
}

/** Bytes that the whole takes on the wire, at least: half of the hexadecimal digits. */
export const SIZE = APPS * 10 * 32;

export function seedFiles(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: APPS }, (_, app) => [pathOf(app), noise(app, "1.0")]));
}

/** Adds commits to `main`, each with a new file unless they are to be empty; gives the bytes that they hold at least. */
export async function importHistory(
  server: GitServer,
  repo: string,
  commits: number,
  options: { empty?: boolean } = {},
): Promise<number> {
  const base = await server.tip(repo);
  const stream = Array.from({ length: commits }, (_, i) => {
    const head = `commit refs/heads/main\ncommitter A <a@example.com> ${1_700_100_000 + i} +0000\ndata 2\nc\n`;
    const from = i === 0 ? `from ${base}\n` : "";
    const text = noise(10_000 + i, "1.0");
    const file = options.empty === true ? "" : `M 100644 inline history/${i}.yaml\ndata ${text.length}\n${text}\n`;
    return `${head}${from}${file}\n`;
  });
  await server.importStream(repo, stream.join(""));
  return options.empty === true ? 0 : commits * 10 * 32;
}
