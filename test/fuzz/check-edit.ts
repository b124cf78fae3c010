import { isGitspanError } from "../../src/model/errors.ts";
import { splice } from "../../src/overlays/change.ts";
import { type EditFormat, editFile } from "../../src/overlays/edit-file.ts";
import type { BumpIntent } from "../../src/overlays/intents.ts";
import { meansExactly, typesLost } from "./model.ts";

export interface Edit {
  file: string;
  text: string;
  intents: BumpIntent[];
  format: EditFormat;
}

/** Codes that a file may be refused with; `edit-unproven` would be a fault of the editor. */
const REFUSALS = /^edit-(?:parse|not-found|ambiguous|shared-value|unsupported|too-large)$/;

/** What became of an edit: `made`, `stands`, or the code of the refusal. Throws when a promise is broken. */
export function checkEdit({ file, text, intents, format }: Edit): string {
  const edit = (before: string, own: readonly BumpIntent[]) => editFile(before, own, file, format);
  const tried = attempt(() => edit(text, intents), file);
  const turned = attempt(() => edit(text, intents.toReversed()), file);
  if (typeof tried === "string") {
    if (typeof turned !== "string") throw new Error(`refused as ${tried}, but made in the other order`);
    return tried;
  }
  const { text: after, changes } = tried;
  if (typeof turned === "string" || turned.text !== after) throw new Error("the order of intents matters");
  if (splice(text, changes) !== after) throw new Error("bytes outside the splices differ");
  if (edit(after, intents).changes.length > 0) throw new Error("a second time changes something");
  if (!meansExactly(text, after, changes)) throw new Error("the result means something else");
  const lost = typesLost(text, after, changes);
  if (lost.length > 0) throw new Error(`no text any more: ${lost.join(", ")}`);
  const oneByOne = intents.reduce((before, intent) => edit(before, [intent]).text, text);
  if (oneByOne !== after) throw new Error("one by one comes to something else");
  return changes.length === 0 ? "stands" : "made";
}

function attempt<T>(run: () => T, file: string): T | string {
  try {
    return run();
  } catch (error) {
    if (!isGitspanError(error) || !REFUSALS.test(error.code)) throw error;
    if (error.at?.file !== file) throw new Error(`${error.code} without a place: ${error.message}`, { cause: error });
    return error.code;
  }
}
