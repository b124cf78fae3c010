import { readdirSync, readFileSync } from "node:fs";
import type { HttpAnswer } from "../../src/git/transport.ts";

const folder = new URL("../golden/git/", import.meta.url);

export interface RejectionRow {
  id: string;
  class: string;
  status: string | null;
  remote: string;
  fatal?: string;
  /** The status of an HTTP answer; `remote` is its body then. */
  http?: number;
  /** What an SSH server says on its error stream instead of speaking Git. */
  ssh?: string;
  note?: string;
}

export function rejectionRows(): RejectionRow[] {
  return JSON.parse(readFileSync(new URL("push-rejections.json", folder), "utf8")) as RejectionRow[];
}

/** The names of the recorded answers of Gitea. */
export function giteaAnswers(): string[] {
  return readdirSync(new URL("gitea", folder))
    .map((file) => file.replace(/\.http$/, ""))
    .toSorted();
}

/** A recorded answer of Gitea. */
export function giteaAnswer(name: string): HttpAnswer {
  return recordedAnswer(new URL(`gitea/${name}.http`, folder));
}

export function recordedAnswer(url: URL): HttpAnswer {
  const file = readFileSync(url);
  const end = file.indexOf("\r\n\r\n");
  const [status = "", ...lines] = file.toString("latin1", 0, end).split(/\r?\n/);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(status.split(" ")[1]), headers, body: file.subarray(end + 4) };
}

/** A throw-away key and certificate for 127.0.0.1. */
export function loopbackCertificate(): { key: string; cert: string } {
  const read = (name: string): string => readFileSync(new URL(`tls/${name}.pem`, folder), "utf8");
  return { key: read("key"), cert: read("cert") };
}
