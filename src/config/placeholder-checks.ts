import { ANY_NAME } from "../model/pattern.ts";
import type { KeyPath } from "./document.ts";
import { ANY_ENVIRONMENT } from "./expand.ts";
import type { Report } from "./place-checks.ts";
import type { RawConfiguration } from "./schema.ts";

type RawApp = NonNullable<RawConfiguration["apps"]>[string];

/** Placeholders that nothing stands for, and images from which no name could be told. */
export function checkPlaceholders(path: KeyPath, name: string, app: RawApp, report: Report): void {
  const { targets, ...rest } = app;
  checkTexts(path, rest, [ANY_NAME], report);
  for (const [environment, target] of Object.entries(targets)) {
    checkTexts([...path, "targets", environment], target, [ANY_NAME, ANY_ENVIRONMENT], report);
  }
  if (name !== ANY_NAME) return;
  for (const [image, repository] of Object.entries(app.images)) {
    if (repository.includes(ANY_NAME)) continue;
    report([...path, "images", image], `must contain ${ANY_NAME}: it tells whose image a build made`);
  }
}

function checkTexts(path: KeyPath, value: unknown, known: readonly string[], report: Report): void {
  if (typeof value === "string") {
    const unknown = (value.match(/\{[^{}]*\}/g) ?? []).find((found) => !known.includes(found));
    if (unknown !== undefined) report(path, `nothing stands for ${unknown}`, `known here: ${known.join(", ")}`);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    checkTexts([...path, Array.isArray(value) ? Number(key) : key], inner, known, report);
  }
}
