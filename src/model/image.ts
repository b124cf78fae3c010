import { GitspanError } from "./errors.ts";

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** An image reference taken apart; a reference without a registry keeps none (nothing is added). */
export interface ImageReference {
  repository: string;
  tag?: string;
  digest?: Digest;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
// The distribution grammar: github.com/distribution/reference, regexp.go (domain, path components, tag).
const DOMAIN =
  "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?";
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const MAX_REPOSITORY = 255;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function isRepository(text: string): boolean {
  return text.length <= MAX_REPOSITORY && REPOSITORY.test(text);
}

/** Takes `repository[:tag][@digest]` apart. Throws `bad-request` naming the part that is wrong. */
export function parseImageReference(text: string): ImageReference {
  const at = text.indexOf("@");
  const beforeDigest = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const slash = beforeDigest.lastIndexOf("/");
  const colon = beforeDigest.indexOf(":", slash + 1);
  const repository = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (!isRepository(repository)) throw badReference(text, `"${repository}" is not an image repository`);
  if (tag !== undefined && !isTag(tag)) throw badReference(text, `"${tag}" is not a tag`);
  if (digest === undefined) return tag === undefined ? { repository } : { repository, tag };
  if (!isDigest(digest)) throw badReference(text, `"${digest}" is not a sha256 digest`);
  return tag === undefined ? { repository, digest } : { repository, tag, digest };
}

/** `repository[:tag][@digest]` */
export function formatImageReference(image: ImageReference): string {
  const tag = image.tag === undefined ? "" : `:${image.tag}`;
  const digest = image.digest === undefined ? "" : `@${image.digest}`;
  return `${image.repository}${tag}${digest}`;
}

function badReference(text: string, what: string): GitspanError {
  return new GitspanError("bad-request", `image reference "${text}": ${what}`, {
    hint: "Write it as registry/path[:tag][@sha256:...].",
  });
}
