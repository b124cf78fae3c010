import { expect } from "vitest";
import { isGitspanError } from "../../src/model/errors.ts";
import type { DigestPolicy, FilePlace } from "../../src/model/target.ts";
import { splice } from "../../src/overlays/change.ts";
import { editorOf } from "../../src/overlays/editors.ts";
import { imageIntent } from "../../src/overlays/intents.ts";

export const OLD = `sha256:${"0".repeat(64)}`;
export const NEW = `sha256:${"d".repeat(64)}` as const;
export const image = { name: "app", repository: "r.io/app", tag: "v2", digest: NEW };
export const whole = { repository: "r.io/app", tag: "v2", digest: NEW };

type Where = Partial<FilePlace> & Pick<FilePlace, "format">;

/** Writes the image and checks that what then stands there is what the editor reads. */
export function written(where: Where, before: string, policy?: DigestPolicy) {
  const editor = editorOf({ file: "f.yaml", ...where }, policy);
  const { text, changes, warnings } = editor.edit(before, [imageIntent(image)], "f.yaml");
  expect(splice(before, changes)).toBe(text);
  expect(editor.holds(before, image)).toBe(false);
  expect(editor.holds(text, image)).toBe(true);
  expect(editor.edit(text, [imageIntent(image)], "f.yaml")).toEqual({ text, changes: [], warnings: [] });
  return { text, warnings, read: editor.read(text, "r.io/app", "f.yaml") };
}

export function refused(where: Where, before: string): string {
  const editor = editorOf({ file: "f.yaml", ...where });
  expect(editor.holds(before, image)).toBe(false);
  try {
    editor.edit(before, [imageIntent(image)], "f.yaml");
  } catch (error) {
    if (isGitspanError(error)) return `${error.code} ${error.at?.line}:${error.at?.column} ${error.message}`;
    throw error;
  }
  throw new Error("it was edited");
}

/** A text with the new reference for each `$`. */
export const to = (text: string): string => text.replaceAll("$", `r.io/app:v2@${NEW}`);
