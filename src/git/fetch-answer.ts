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

/**
 * The sections of a fetch answer (gitprotocol-v2, "fetch").
 * @throws GitspanError git-not-found when an object is not there, git-protocol for other words and for broken answers
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
      const band = part.data[0];
      if (band === DATA) chunks.push(part.data.subarray(1));
      else if (band === FATAL) throw said(lineOf(part.data.subarray(1)));
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
  if (!ended) throw new GitspanError("git-protocol", "the server's answer breaks off");
  answer.pack = Buffer.concat(chunks);
  return answer;
}

function said(words: string): GitspanError {
  const missing = /not our ref ([0-9a-f]{40})/.exec(words);
  if (missing !== null) {
    return new GitspanError("git-not-found", `the repository does not give out object ${missing[1] ?? ""}`, {
      hint: "it was removed by a force push or a clean-up, or the server does not serve objects by id",
    });
  }
  return new GitspanError("git-protocol", `the Git server says: ${words.trim()}`);
}
