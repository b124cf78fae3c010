import type { Oid } from "../model/git.ts";
import type { Abilities } from "./capabilities.ts";
import { FLUSH, packet } from "./pkt-line.ts";

export interface FetchRequest {
  wants: readonly Oid[];
  /** Commits that we say to have: their history is left out. */
  haves?: readonly Oid[];
  /** Those of our commits whose parents we do not have. */
  shallow?: readonly Oid[];
  /** Leaves out files (`blob:none`), or every tree and file (`tree:0`), that is not wanted by its own id. */
  filter?: "blob:none" | "tree:0";
  /** How many generations of commits; absent means all. */
  depth?: number;
  /** The pack may rest on objects of the haves. */
  thin?: boolean;
  /** `ask`: only which haves the server knows. `try`: a pack only if the haves lead to all wants; version 2 alone can do it. */
  negotiate?: "ask" | "try";
}

/** The arguments of version 2's fetch command (gitprotocol-v2, "fetch"). */
export function fetchArguments(request: FetchRequest, { features }: Abilities): string[] {
  const lines = ["no-progress", "ofs-delta"];
  if (request.thin === true) lines.push("thin-pack");
  if (request.filter !== undefined) lines.push(`filter ${request.filter}`);
  if (request.depth !== undefined) lines.push(`deepen ${request.depth}`);
  for (const oid of request.wants) lines.push(`want ${oid}`);
  for (const oid of request.shallow ?? []) lines.push(`shallow ${oid}`);
  for (const oid of request.haves ?? []) lines.push(`have ${oid}`);
  if (request.negotiate === undefined) lines.push("done");
  else if (request.negotiate === "ask" && features.has("wait-for-done")) lines.push("wait-for-done");
  return lines;
}

/** The body of a fetch in versions 0 and 1 (gitprotocol-pack, "Packfile Negotiation"). */
export function oldFetchBody(request: FetchRequest, { features }: Abilities): Buffer {
  const words = ["side-band-64k", "ofs-delta", "no-progress", "agent=gitspan"];
  if (request.thin === true) words.push("thin-pack");
  if (request.filter !== undefined) words.push("filter");
  const spoken = words.filter((word) => features.has(word) || word.startsWith("agent="));
  const wants = request.wants.map((oid, index) => `want ${oid}${index === 0 ? ` ${spoken.join(" ")}` : ""}`);
  const head = [...wants, ...(request.shallow ?? []).map((oid) => `shallow ${oid}`)];
  if (request.depth !== undefined) head.push(`deepen ${request.depth}`);
  if (request.filter !== undefined) head.push(`filter ${request.filter}`);
  const haves = (request.haves ?? []).map((oid) => `have ${oid}`);
  const lines = (texts: readonly string[]): Buffer[] => texts.map((text) => packet(`${text}\n`));
  const end = request.negotiate !== undefined ? FLUSH : packet("done\n");
  return Buffer.concat([...lines(head), FLUSH, ...lines(haves), end]);
}
