import { isMap, isScalar, type Node } from "yaml";
import { GitspanError } from "../model/errors.ts";
import type { Plan } from "./carry-out.ts";
import type { SetRefIntent } from "./intents.ts";
import { mayBeKustomization } from "./kustomize-entries.ts";
import { keyTwice, refuseShared, type Slot, startOf } from "./place.ts";
import { refusal, type Source } from "./source.ts";
import type { Step } from "./steps.ts";
import { walk } from "./walk.ts";

// https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md
const SECTIONS = new Set<unknown>(["resources", "components", "bases"]);
const REF = /^(?<base>[^?]*)\?(?:[^#]*&)?ref=(?<ref>[^&#]*)/d;

/** What a ref may consist of so that no URL and no YAML style needs it escaped; git allows little more. */
const SAFE_REF = /^[A-Za-z0-9][A-Za-z0-9._/+@-]*$/;

interface RemoteUrl {
  slot: Slot;
  text: string;
  base: string;
  ref: string;
  /** Where the ref stands in the text. */
  span: [number, number];
}

/** The steps that move remote refs. Throws `edit-not-found`, `edit-ambiguous`, `edit-shared-value`, `edit-unsupported`. */
export function planRefs(source: Source, intents: readonly SetRefIntent[]): Plan {
  const urls = source.documents.flatMap((_, document) => remoteUrls(source, document));
  const steps = intents.flatMap((intent) => {
    if (!SAFE_REF.test(intent.newRef)) {
      throw new GitspanError("edit-unsupported", `"${intent.newRef}" is not a ref that can be written into a URL`, {
        hint: "Give a commit, a tag or a branch.",
        at: { file: source.file, line: 1, column: 1 },
      });
    }
    const meant = urls.filter((url) => isMeant(url, intent));
    if (meant.length === 0) throw notFound(source, urls, intent);
    return meant.flatMap((url) => refStep(url, intent.newRef) ?? []);
  });
  return { steps, warnings: [] };
}

function remoteUrls(source: Source, document: number): RemoteUrl[] {
  const root = source.documents[document]?.contents;
  if (!isMap<Node, Node | null>(root) || !mayBeKustomization(root)) return [];
  return walk(source, document).slots.flatMap((slot) => {
    const [section, index, ...deeper] = slot.path;
    const text = isScalar(slot.node) ? slot.node.value : undefined;
    if (deeper.length > 0 || typeof index !== "number" || !SECTIONS.has(section)) return [];
    const match = typeof text === "string" ? REF.exec(text) : null;
    const { base, ref } = match?.groups ?? {};
    const span = match?.indices?.groups?.["ref"];
    if (typeof text !== "string" || base === undefined || ref === undefined || span === undefined) return [];
    return [{ slot, text, base, ref, span }];
  });
}

/** A URL that has the new ref already is meant too: the second time nothing is left to do. */
function isMeant(url: RemoteUrl, { section, url: wanted, oldRef, newRef }: SetRefIntent): boolean {
  if (section !== undefined && url.slot.path[0] !== section) return false;
  if (oldRef !== undefined && url.ref !== oldRef && url.ref !== newRef) return false;
  if (wanted === undefined) return true;
  const [start, end] = url.span;
  const moved = url.text.slice(0, start) + newRef + url.text.slice(end);
  if (wanted.includes("?")) return url.text === wanted || withRef(wanted, newRef) === moved;
  const rest = url.base.startsWith(wanted) ? url.base.slice(wanted.length) : undefined;
  return rest !== undefined && (rest === "" || wanted.endsWith("/") || /^(?:\/|\.git(?:\/|$))/.test(rest));
}

function withRef(url: string, ref: string): string {
  const [start, end] = REF.exec(url)?.indices?.groups?.["ref"] ?? [];
  return start === undefined || end === undefined ? url : url.slice(0, start) + ref + url.slice(end);
}

function refStep({ slot, text, ref, span }: RemoteUrl, newRef: string): Step | undefined {
  if (ref === newRef) return undefined;
  const { source, node, document, path } = slot;
  if (slot.twice !== undefined) throw keyTwice(source, slot.twice);
  refuseShared(slot, node);
  const from = startOf(node);
  const written = source.text.slice(from, node?.range?.[1] ?? from);
  const quote = written === text ? 0 : written.slice(1, -1) === text ? 1 : undefined;
  if (quote === undefined) {
    throw refusal(source, "edit-unsupported", from, "the URL is not written as one line without escapes", {
      hint: "Write it plain or in quotes.",
    });
  }
  const value = text.slice(0, span[0]) + newRef + text.slice(span[1]);
  const start = from + quote + span[0];
  return {
    source,
    change: { kind: "replace", start, end: start + ref.length, text: newRef, path, old: text, new: value },
    expectation: { document, path, value },
  };
}

function notFound(source: Source, urls: readonly RemoteUrl[], { section, url, oldRef }: SetRefIntent): GitspanError {
  const wanted = [url, oldRef === undefined ? undefined : `ref ${oldRef}`].filter((text) => text !== undefined);
  const where = section ?? "resources, components and bases";
  return new GitspanError("edit-not-found", `${source.file}: no URL of ${where} is for ${wanted.join(", ")}`, {
    hint:
      urls.length === 0
        ? "No URL there has a ref."
        : `There are: ${urls
            .slice(0, 5)
            .map(({ text }) => text)
            .join(", ")}`,
    at: { file: source.file, line: 1, column: 1 },
  });
}
