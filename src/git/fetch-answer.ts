import { GitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { lineOf, readPackets } from "./pkt-line.ts";

export interface FetchAnswer {
  /** Empty when the server sent none, as it does when it wants to go on negotiating. */
  pack: Buffer;
  /** Commits at which the history was cut off. */
  shallow: Oid[];
  /** Whether the server knows any of the commits that were named as ours; absent when it was not asked. */
  common?: boolean;
}

const DATA = 1;
const FATAL = 3;

/** The server does not give out what was wanted: it lacks it, or it gives nothing by id. Whoever asked has to find out. */
export class RefusedWant extends GitspanError {
  constructor(oid: Oid) {
    super("git-not-found", `the repository does not give out object ${oid}`, {
      hint: "it was removed by a force push or a clean-up, or the server does not serve objects by id",
    });
  }
}

/**
 * The sections of a fetch answer (gitprotocol-v2, "fetch").
 * @throws RefusedWant, GitspanError git-protocol for other words and for broken answers
 */
export function readFetchAnswer(body: Buffer): FetchAnswer {
  const answer: FetchAnswer = { pack: Buffer.alloc(0), shallow: [] };
  const chunks: Buffer[] = [];
  let section: string | undefined;
  let ended = false;
  for (const part of readPackets(body)) {
    if (part.kind !== "data") {
      section = undefined;
      ended = part.kind !== "delimiter";
      continue;
    }
    if (section === "packfile") {
      takeBand(part.data, chunks);
      continue;
    }
    const line = lineOf(part.data);
    if (line.startsWith("ERR ")) throw said(line.slice(4));
    if (section === undefined) {
      section = line;
      if (section === "acknowledgments") answer.common = false;
    } else if (section === "acknowledgments" && line.startsWith("ACK ")) answer.common = true;
    else if (section === "shallow-info" && line.startsWith("shallow ")) answer.shallow.push(line.slice(8));
  }
  if (!ended) throw brokenOff();
  answer.pack = Buffer.concat(chunks);
  return answer;
}

/**
 * An answer of versions 0 and 1: lines, then the pack in the bands of a side band, whose numbers no line begins with.
 * @throws RefusedWant, GitspanError git-protocol for other words and for broken answers
 */
export function readOldFetchAnswer(body: Buffer): FetchAnswer {
  const answer: FetchAnswer = { pack: Buffer.alloc(0), shallow: [] };
  const chunks: Buffer[] = [];
  let banded = false;
  let ended = false;
  for (const part of readPackets(body)) {
    ended = part.kind !== "data";
    if (part.kind !== "data") continue;
    if ((part.data[0] ?? 0) <= FATAL) {
      banded = true;
      takeBand(part.data, chunks);
      continue;
    }
    const line = lineOf(part.data);
    if (line.startsWith("ERR ")) throw said(line.slice(4));
    if (line.startsWith("shallow ")) answer.shallow.push(line.slice(8));
    else if (line.startsWith("ACK ")) answer.common = true;
    else if (line === "NAK") answer.common ??= false;
  }
  // Without a pack the last word is whether there is anything in common, and no flush follows it.
  if (banded ? !ended : answer.common === undefined) throw brokenOff();
  answer.pack = Buffer.concat(chunks);
  return answer;
}

function takeBand(data: Buffer, chunks: Buffer[]): void {
  const band = data[0];
  if (band === DATA) chunks.push(data.subarray(1));
  else if (band === FATAL) throw said(lineOf(data.subarray(1)));
}

function brokenOff(): GitspanError {
  return new GitspanError("git-protocol", "the server's answer breaks off");
}

/** Git itself says "not our ref", JGit "want ... not valid". */
function said(words: string): GitspanError {
  const refused = /not our ref ([0-9a-f]{40})|want ([0-9a-f]{40}) not valid/.exec(words);
  if (refused !== null) return new RefusedWant(refused[1] ?? refused[2] ?? "");
  return new GitspanError("git-protocol", `the Git server says: ${words.trim()}`);
}
