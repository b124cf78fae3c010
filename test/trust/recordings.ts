import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Digest } from "../../src/model/image.ts";

interface RecordedAnswer {
  path: string;
  status: number;
  headers: Record<string, string>;
  /** SHA-256 of the body. */
  body?: string;
}

export interface Recording {
  variant: string;
  what: string;
  accept: boolean;
  reason: string | null;
  image: string;
  tag: string;
  digest: Digest;
  builder: string;
  source: { repository: string; commit: string };
  run?: { uid: string; taskUids: string[] };
  trustedKey?: string;
  trustedCa?: string;
  identity?: { issuer: string; subject: string };
  registry: RecordedAnswer[];
}

const golden = new URL("../golden/trust/recordings.json.gz", import.meta.url);
const { bodies, variants } = JSON.parse(gunzipSync(readFileSync(golden)).toString("utf8")) as {
  bodies: Record<string, string>;
  variants: Recording[];
};

export const RECORDINGS: readonly Recording[] = variants;

export function recordingOf(variant: string): Recording {
  const found = variants.find((one) => one.variant === variant);
  if (found === undefined) throw new Error(`there is no recording ${variant}`);
  return found;
}

/** What the recorded registry answers to GET; undefined for what it was never asked. */
export function recordedAnswer(recording: Recording, url: string) {
  const find = (path: string | undefined) => recording.registry.find((answer) => answer.path === path);
  const found = find(url) ?? find(url.split("?")[0]);
  if (found === undefined) return undefined;
  const { status, headers, body } = found;
  return { status, headers, body: Buffer.from(body === undefined ? "" : (bodies[body] ?? ""), "base64") };
}
