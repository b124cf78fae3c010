import { GitspanError, messageOf } from "../model/errors.ts";
import { type ImageReference, isRepository, parseImageReference } from "../model/image.ts";
import { readSelector } from "../model/selector.ts";
import { DIGEST_POLICIES } from "../model/target.ts";
import { EDIT_FORMATS, type EditFormat } from "../overlays/edit-file.ts";
import type { BumpIntent, EditIntent, SetRefIntent, SetValueIntent } from "../overlays/intents.ts";
import type { KustomizeOptions } from "../overlays/kustomize-images.ts";
import type { EditOptions } from "./edit-options.ts";

/** What the flags ask for. Throws `usage`. */
export function intentsOf({ image, ref, at }: Pick<EditOptions, "image" | "ref" | "at">): EditIntent[] {
  const intents = [...image.map(imageIntent), ...ref.map(refIntent), ...at.map(valueIntent)];
  if (intents.length > 0) return intents;
  throw usage("there is nothing to change", "Say what with --image, --ref or --at.");
}

export function formatOf(text: string): EditFormat {
  const format = EDIT_FORMATS.find((name) => name === text);
  if (format !== undefined) return format;
  throw usage(`there is no format ${text}`, `There are ${EDIT_FORMATS.join(", ")}.`);
}

/** How images are written: the flags say it as `add` and `digestPolicy` of a target do. */
export function imageOptionsOf({ add, digest }: Pick<EditOptions, "add" | "digest">): KustomizeOptions {
  const policy = DIGEST_POLICIES.find((name) => name === digest);
  if (policy === undefined) throw usage(`there is no policy ${digest}`, `There are ${DIGEST_POLICIES.join(", ")}.`);
  return { policy, add: add === true };
}

const IMAGE_HINT = "Write NAME[=NEWNAME][:TAG][@DIGEST], as in --image registry.example.com/shop/checkout:1.4.2";

function imageIntent(text: string): BumpIntent {
  const equals = text.indexOf("=");
  const name = equals < 0 ? undefined : text.slice(0, equals);
  if (name !== undefined && !isRepository(name)) throw usage(`--image ${text}: "${name}" is no image`, IMAGE_HINT);
  const { repository, tag, digest } = referenceOf(text, equals + 1);
  if (name === undefined && (tag ?? digest) === undefined) {
    throw usage(`--image ${text}: there is no tag, digest or new name to write`, IMAGE_HINT);
  }
  const renamed = name === undefined || name === repository ? {} : { newName: repository };
  return { op: "bump", image: name ?? repository, ...renamed, newTag: tag, digest };
}

function referenceOf(text: string, from: number): ImageReference {
  try {
    return parseImageReference(text.slice(from));
  } catch (error) {
    throw usage(`--image ${text}: ${messageOf(error)}`, IMAGE_HINT);
  }
}

function refIntent(text: string): SetRefIntent {
  // URLs have `=` in them, refs have none.
  const equals = text.lastIndexOf("=");
  const [meant, newRef] = [text.slice(0, equals), text.slice(equals + 1)];
  if (equals <= 0 || newRef === "") {
    throw usage(
      `--ref ${text}: there is no new ref`,
      "Write URL=NEW or OLD=NEW, as in --ref https://github.com/org/app=v1.4.2",
    );
  }
  return /^[^/:]*$/.test(meant) || !/^(?:[a-z+]+:\/\/|git@|[^/]+\.[^/]+\/)/i.test(meant)
    ? { op: "set-ref", oldRef: meant, newRef }
    : { op: "set-ref", url: meant, newRef };
}

function valueIntent(text: string): SetValueIntent {
  const [prefix = "", document] = /^(\d{1,6})#/.exec(text) ?? [];
  const rest = text.slice(prefix.length);
  const selector = readSelector(rest);
  if (selector === undefined || rest[selector.length] !== "=") {
    throw usage(
      `--at ${text}: this is not PATH=VALUE`,
      "Write it as in image.tag=1.4.2, containers[name=app].image=app:2 or '[\"a.key\"].tag=2'",
    );
  }
  const value = { op: "set-value", path: selector.steps, new: rest.slice(selector.length + 1) } as const;
  return document === undefined ? value : { ...value, doc: Number(document) };
}

export function usage(message: string, hint: string): GitspanError {
  return new GitspanError("usage", message, { hint });
}
