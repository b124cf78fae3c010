import { GitspanError } from "../model/errors.ts";
import { lineOf, readPackets } from "./pkt-line.ts";

/** What a server offers in protocol version 2 (gitprotocol-v2, "Capability Advertisement"). */
export type Capabilities = ReadonlyMap<string, string>;

/**
 * Reads the answer to `GET info/refs?service=git-upload-pack`.
 * @throws GitspanError git-unsupported, with what is missing, when the server cannot serve single objects; git-protocol
 * when the answer is not Git's at all
 */
export function readCapabilities(body: Buffer, place: string): Capabilities {
  const lines: string[] = [];
  for (const part of readPackets(body)) if (part.kind === "data") lines.push(lineOf(part.data));
  const start = lines[0]?.startsWith("# service=") === true ? 1 : 0;
  if (lines[start] !== "version 2") {
    throw unsupported(place, "it speaks only version 0 of Git's protocol, not version 2");
  }
  const capabilities = new Map<string, string>();
  for (const line of lines.slice(start + 1)) {
    const equals = line.indexOf("=");
    if (equals < 0) capabilities.set(line, "");
    else capabilities.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const format = capabilities.get("object-format") ?? "sha1";
  if (format !== "sha1") throw unsupported(place, `its objects have ${format} ids; only sha1 is supported`);
  if (!capabilities.has("ls-refs")) throw unsupported(place, "it does not list branches (ls-refs)");
  const fetch = (capabilities.get("fetch") ?? "").split(" ");
  for (const [feature, remedy] of [
    ["filter", "git config uploadpack.allowFilter true"],
    ["shallow", "a git server that serves shallow fetches"],
  ] as const) {
    if (!fetch.includes(feature)) throw unsupported(place, `its fetch lacks "${feature}"`, `it needs: ${remedy}`);
  }
  return capabilities;
}

function unsupported(place: string, why: string, hint?: string): GitspanError {
  return new GitspanError("git-unsupported", `${place} cannot be used: ${why}`, {
    hint: hint ?? "use a Git server that serves partial fetches over protocol version 2",
  });
}
