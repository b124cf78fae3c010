import { lineOf, type Packet, readPackets } from "./pkt-line.ts";

/** What a server reports about a push of one ref (gitprotocol-pack, "Report Status", both versions). */
export interface PushReport {
  /** What it says about the pack: "ok" or an error; undefined when it says nothing. */
  unpack?: string;
  /** What it says about the ref; undefined when the report is missing or breaks off before. */
  ref?: { ok: true } | { ok: false; reason: string };
  /** Version 2: a hook of the server has moved another ref than the one pushed to, or to another commit. */
  instead?: { ref?: string; oid?: string };
  /** The lines of the side band, as the git program shows them after "remote:". */
  remote: string;
  /** Words that stand instead of a report. */
  fatal?: string;
}

const DATA = 1;
const PROGRESS = 2;
const FATAL = 3;

/** Reads as much as there is: an answer that breaks off is a report without what is missing. */
export function readPushReport(body: Buffer, ref: string): PushReport {
  const report: PushReport = { remote: "" };
  const data: Buffer[] = [];
  const progress: Buffer[] = [];
  for (const packet of available(body)) {
    if (packet.kind !== "data") continue;
    const band = packet.data[0];
    if (band === DATA) data.push(packet.data.subarray(1));
    else if (band === PROGRESS) progress.push(packet.data.subarray(1));
    else if (band === FATAL) report.fatal = lineOf(packet.data.subarray(1));
    else readLine(report, lineOf(packet.data), ref);
  }
  for (const packet of available(Buffer.concat(data))) {
    if (packet.kind === "data") readLine(report, lineOf(packet.data), ref);
  }
  report.remote = cleaned(Buffer.concat(progress).toString("utf8"));
  return report;
}

function readLine(report: PushReport, line: string, ref: string): void {
  if (line.startsWith("unpack ")) report.unpack = line.slice(7);
  else if (line === `ok ${ref}`) report.ref = { ok: true };
  else if (line === `ng ${ref}` || line.startsWith(`ng ${ref} `))
    report.ref = { ok: false, reason: line.slice(ref.length + 4) };
  else if (line.startsWith("option ")) readOption(report, line.slice(7));
  else if (line.startsWith("ERR ")) report.fatal = line.slice(4);
}

/** Options follow the line of their ref; with one ref there is no other that they could belong to. */
function readOption(report: PushReport, option: string): void {
  const [key, value = ""] = option.split(" ");
  if (report.ref?.ok !== true) return;
  if (key === "refname") report.instead = { ...report.instead, ref: value };
  if (key === "new-oid") report.instead = { ...report.instead, oid: value };
}

function* available(bytes: Buffer): Generator<Packet, void, undefined> {
  try {
    yield* readPackets(bytes);
  } catch {
    // What was read so far is all there is.
  }
}

/** Without control characters, progress that was overwritten, and the empty "error:" lines that Gitea frames with. */
function cleaned(text: string): string {
  return text
    .split("\n")
    .map((line) => (line.split("\r").findLast((part) => part.trim() !== "") ?? "").replaceAll(/\p{Cc}/gu, ""))
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && line !== "error:")
    .join("\n");
}
