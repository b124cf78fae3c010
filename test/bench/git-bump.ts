import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import type { CommitPlan, Oid, PreparedPush } from "../../src/model/git.ts";
import { overlayOf } from "./monorepo.ts";

const { signal } = new AbortController();
const WHO = { name: "gitspan", email: "gitspan@example.com" };
let serial = 0;

export function openEngine(url: string): RemoteRepository {
  return openRemoteRepository({ ambient: systemAmbient }, { url });
}

/** The overlay with another tag. */
export function bumped(text: string, tag: string): string {
  return text.replace(/newTag: "[^"]*"/, `newTag: "${tag}"`);
}

/** Reads the files and plans one commit per application. */
export async function prepareBumps(git: RemoteRepository, tip: Oid, apps: readonly number[]): Promise<PreparedPush> {
  const files = await git.readFiles(tip, apps.map(overlayOf), signal);
  const plans = apps.map((app): CommitPlan => {
    const path = overlayOf(app);
    const tag = `2.0.${process.pid}.${serial++}`;
    const content = new TextEncoder().encode(bumped(new TextDecoder().decode(files.get(path)), tag));
    const message = `deploy(app-${app}): dev ${tag}\n`;
    return { files: new Map([[path, content]]), message, author: WHO, committer: WHO, time: Date.now() };
  });
  return git.prepare("main", tip, plans, signal);
}

/** Reads the files, plans one commit per application, pushes; gives the new tip. */
export async function bump(git: RemoteRepository, tip: Oid, apps: readonly number[]): Promise<Oid> {
  const prepared = await prepareBumps(git, tip, apps);
  const result = await git.push(prepared, signal);
  if (result.kind !== "landed") throw new Error(`the push did not land: ${JSON.stringify(result)}`);
  return prepared.head;
}

export async function tipOf(git: RemoteRepository): Promise<Oid> {
  return git.tip("main", signal);
}
