/** What the clone knows of where it came from. */
export interface Origin {
  /** The repository's address; absent: not known. */
  url?: string | undefined;
  branch?: string | undefined;
}

/** The environment of what names none. */
export const ANYWHERE = "default";

/** Words by which people name environments, whole or between `-`, `_` and `.`. */
const ENVIRONMENT =
  /^(?:dev|development|test|testing|qa|uat|int|integration|stage|staging|preprod|preview|prod|production|live)$/;

/** The last such word of a path or name. */
export function environmentIn(text: string): string | undefined {
  const words = text.split("/").flatMap((part) => [part, ...part.split(/[-_.]/)]);
  return words.findLast((word) => ENVIRONMENT.test(word));
}

/** A name that is not taken yet: the last part of the image's, with those before it as far as two would be the same. */
export function freeName(isTaken: (name: string) => boolean, image: string): string {
  const parts = image
    .toLowerCase()
    .split("/")
    .map((part) => part.replaceAll(/[^a-z0-9]+/g, "-"));
  for (let count = 1; count <= parts.length; count++) {
    const name = parts.slice(-count).join("-").slice(-63);
    if (!isTaken(name)) return name;
  }
  for (let number = 2; ; number++) {
    const name = `${parts.at(-1)?.slice(0, 50)}-${number}`;
    if (!isTaken(name)) return name;
  }
}
