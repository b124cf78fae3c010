import { GitspanError } from "../model/errors.ts";
import { isDigest } from "../model/image.ts";
import type { SelectorStep } from "../model/selector.ts";
import { type EditFormat, editFile } from "../overlays/edit-file.ts";
import type { EditIntent, SetImageIntent } from "../overlays/intents.ts";
import type { KustomizeOptions } from "../overlays/kustomize-images.ts";
import { member, runBatch } from "./batch.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";

/** Edits one text per line of standard input. */
export async function runEditBatch(io: Io, format: EditFormat, options: KustomizeOptions): Promise<ExitCode> {
  return runBatch(io, "edited", (request) => {
    const { text, warnings } = editFile(
      textOf(request, "before"),
      intentsOf(request),
      optionalText(request, "path") ?? "input.yaml",
      format,
      options,
    );
    return { after: text, warnings };
  });
}

function intentsOf(request: unknown): EditIntent[] {
  const intents = member(request, "intents");
  if (!Array.isArray(intents) || intents.length === 0) throw bad("intents must be a list with at least one intent");
  return intents.map((intent) => intentOf(intent));
}

/** Of each intent only what it needs to find its place is read; whatever else stands in it is not looked at. */
function intentOf(raw: unknown): EditIntent {
  const op = textOf(raw, "op");
  switch (op) {
    case "set-image": {
      const index = optionalNumber(raw, "index");
      const newName = optionalText(raw, "newName");
      return { op, name: textOf(raw, "name"), newName, index, fields: fieldsOf(member(raw, "fields")) };
    }
    case "set-ref": {
      const [section, url] = [optionalText(raw, "section"), optionalText(raw, "url")];
      const oldRef = optionalText(raw, "oldRef");
      if ((url ?? oldRef) === undefined) throw bad("a set-ref needs url or oldRef");
      return { op, section, url, oldRef, newRef: textOf(raw, "newRef") };
    }
    case "set-value":
      return { op, doc: optionalNumber(raw, "doc"), path: pathOf(member(raw, "path")), new: textOf(raw, "new") };
    case "bump": {
      const digest = optionalText(raw, "digest");
      if (digest !== undefined && !isDigest(digest)) throw bad(`"${digest}" is not a sha256 digest`);
      const [newName, newTag] = [optionalText(raw, "newName"), optionalText(raw, "newTag")];
      return { op, image: textOf(raw, "image"), newName, newTag, digest };
    }
    default:
      throw bad(`there is no op "${op}": set-image, set-ref, set-value and bump are known`);
  }
}

function fieldsOf(raw: unknown): SetImageIntent["fields"] {
  const fields: SetImageIntent["fields"] = {};
  for (const key of ["newName", "newTag", "digest"] as const) {
    const field = member(raw, key);
    if (field !== undefined) fields[key] = { new: textOf(field, "new") };
  }
  return fields;
}

function pathOf(raw: unknown): SelectorStep[] {
  const isStep = (step: unknown): step is string | number => typeof step === "string" || Number.isInteger(step);
  if (Array.isArray(raw) && raw.length > 0 && raw.every(isStep)) return raw;
  throw bad("path must be a list of keys and indexes");
}

function textOf(value: unknown, name: string): string {
  const text = member(value, name);
  if (typeof text === "string") return text;
  throw bad(`${name} must be a text`);
}

/** `null` counts as absent. */
function optionalText(value: unknown, name: string): string | undefined {
  return (member(value, name) ?? undefined) === undefined ? undefined : textOf(value, name);
}

function optionalNumber(value: unknown, name: string): number | undefined {
  const found = member(value, name) ?? undefined;
  if (found === undefined || (typeof found === "number" && Number.isInteger(found))) return found;
  throw bad(`${name} must be a whole number`);
}

function bad(message: string): GitspanError {
  return new GitspanError("bad-request", message);
}
