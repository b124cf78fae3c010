import { isDigest, isRepository, isTag } from "../model/image.ts";

/** `repository[:tag][@digest]` as a file has it. */
export interface ReferenceText {
  repository: string;
  tag?: string;
  digest?: string;
}

/** Takes a reference apart; `undefined` for a text that is none. */
export function readReference(text: string): ReferenceText | undefined {
  const at = text.indexOf("@");
  const name = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  const repository = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  if (!isRepository(repository) || (tag !== undefined && !isTag(tag))) return undefined;
  if (digest === undefined) return tag === undefined ? { repository } : { repository, tag };
  if (!isDigest(digest)) return undefined;
  return tag === undefined ? { repository, digest } : { repository, tag, digest };
}

export function writeReference({ repository, tag, digest }: ReferenceText): string {
  return `${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** One spelling per repository: `docker.io/library/nginx` and `nginx` are the same image for every runtime. */
export function sameRepository(a: string, b: string): boolean {
  return withoutDefaults(a) === withoutDefaults(b);
}

function withoutDefaults(repository: string): string {
  return repository.replace(/^(?:(?:index|registry-1)\.)?docker\.io\//, "").replace(/^library\//, "");
}

const TAG_WITH_DIGEST = /^(?<tag>[^@]*)@(?<digest>sha256:[0-9a-f]{64})$/;

/** A tag field's text: `1.2`, or `1.2@sha256:...` as charts take it that know no digest. */
export function readTag(text: string): { tag?: string; digest?: string } {
  const { tag, digest } = TAG_WITH_DIGEST.exec(text)?.groups ?? {};
  if (digest !== undefined) return tag === "" ? { digest } : { tag, digest };
  return text === "" ? {} : { tag: text };
}

/** A digest field's text, with or without `sha256:`. */
export function readDigest(text: string): string | undefined {
  const full = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text;
  return isDigest(full) ? full : undefined;
}
