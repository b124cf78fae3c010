import { isRepository } from "./image.ts";
import type { AppRule } from "./match.ts";
import type { Target, TargetImage } from "./target.ts";

/** Stands for the app's name in the texts of a pattern, and is the pattern's own key in the configuration. */
export const ANY_NAME = "{name}";

const NAME = "[a-z0-9-]{1,63}";
const IS_NAME = new RegExp(`^${NAME}$`);

/** One entry for every app that keeps to a convention: `{name}` in its texts stands for the app's name. */
export interface AppPattern {
  rule: AppRule;
  images: readonly TargetImage[];
  targets: readonly Target[];
}

export interface PatternApp {
  rule: AppRule;
  targets: Target[];
}

/** The pattern's app of that name; undefined for what cannot be the name of an app or of its images. */
export function appOfPattern(pattern: AppPattern, name: string): PatternApp | undefined {
  if (!IS_NAME.test(name)) return undefined;
  const { rule, targets, images } = withWords(pattern, { [ANY_NAME]: name });
  if (!images.every(({ repository }) => isRepository(repository))) return undefined;
  return { rule, targets: targets.map((target) => ({ ...target, byPattern: true })) };
}

/**
 * The name of the app whose image that is. Where several images of the pattern fit (`shop/{name}` and
 * `shop/{name}-worker`), the one with the longest text of its own decides.
 */
export function nameOfImage(pattern: AppPattern, repository: string): string | undefined {
  const byLength = pattern.images.toSorted((a, b) => b.repository.length - a.repository.length);
  for (const image of byLength) {
    const name = nameIn(image.repository, repository);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** A copy in which every text has the words replaced, keys of maps excepted. */
export function withWords<T>(value: T, words: Readonly<Record<string, string>>): T {
  const copy = structuredClone(value);
  replaceIn(copy, Object.entries(words));
  return copy;
}

function nameIn(pattern: string, repository: string): string | undefined {
  const [before = "", ...parts] = pattern.split(ANY_NAME).map(escaped);
  // The first stands for a name, every other one for the same name again.
  const source = parts.map((part, index) => (index === 0 ? `(${NAME})` : "\\1") + part).join("");
  return new RegExp(`^${before}${source}$`).exec(repository)?.[1];
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

function replaceIn(value: unknown, words: readonly (readonly [string, string])[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner !== "string") replaceIn(inner, words);
    else
      Reflect.set(
        value,
        key,
        words.reduce((text, [word, by]) => text.replaceAll(word, () => by), inner),
      );
  }
}
