import { unifiedDiff } from "../model/diff.ts";
import { isGitspanError } from "../model/errors.ts";
import type { EditResult } from "../overlays/change.ts";
import { type EditFormat, editFile } from "../overlays/edit-file.ts";
import type { EditIntent } from "../overlays/intents.ts";
import type { KustomizeOptions } from "../overlays/kustomize-images.ts";
import { runEditBatch } from "./edit-batch.ts";
import { type EditableFile, readEditable, writeEditable } from "./edit-files.ts";
import { formatOf, imageOptionsOf, intentsOf, usage } from "./edit-intents.ts";
import type { EditOptions } from "./edit-options.ts";
import { showRefusal } from "./edit-refusal.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";

const STDIN = "-";

/** `gitspan edit`: all files or none are written. */
export async function runEdit(io: Io, paths: readonly string[], options: EditOptions): Promise<ExitCode> {
  const how = { format: formatOf(options.format), options: imageOptionsOf(options) };
  if (options.batch === true) {
    if (paths.length + options.image.length + options.ref.length + options.at.length > 0)
      throw usage("--batch takes neither files nor changes", "Each line of standard input has its own.");
    return runEditBatch(io, how.format, how.options);
  }
  const intents = intentsOf(options);
  const names = paths.length === 0 ? [STDIN] : [...new Set(paths)];
  checkTargets(names, options);
  const files: EditableFile[] = [];
  for (const name of names) files.push(await readEditable(io, name));
  const edited = editAll(io, files, intents, how);
  if (typeof edited === "number") return edited;
  for (const warning of edited.flatMap(({ result }) => result.warnings))
    io.stderr.write(`gitspan: warning: ${printable(warning)}\n`);
  return output(io, edited, options);
}

function checkTargets(names: readonly string[], { check, diff, write }: EditOptions): void {
  if (write === true && names.includes(STDIN))
    throw usage("standard input cannot be written to", "Leave --write out, or name a file.");
  if (names.length > 1 && (check ?? diff ?? write) !== true)
    throw usage("the results of several files cannot be told apart", "Use --check, --diff or --write.");
}

/** Where images are looked for, and how they are written. */
interface How {
  format: EditFormat;
  options: KustomizeOptions;
}

interface Edited {
  file: EditableFile;
  result: EditResult;
}

/** The exit code when a file was refused. */
function editAll(
  io: Io,
  files: readonly EditableFile[],
  intents: readonly EditIntent[],
  how: How,
): Edited[] | ExitCode {
  const edited: Edited[] = [];
  const refused: ExitCode[] = [];
  const own = files.length === 1 ? undefined : sharedOut(files, intents, how);
  for (const file of files) {
    try {
      const meant = own?.get(file) ?? intents;
      edited.push({ file, result: editFile(file.text, meant, file.name, how.format, how.options) });
    } catch (error) {
      refused.push(showRefusal(io, error, file.text));
    }
  }
  return refused[0] ?? edited;
}

/**
 * Which of several files each intent is for: those that have what it names. One that no file has is left to the one
 * kustomization that may get it, else to the first, which refuses it.
 */
function sharedOut(
  files: readonly EditableFile[],
  intents: readonly EditIntent[],
  how: How,
): Map<EditableFile, EditIntent[]> {
  const shares = new Map<EditableFile, EditIntent[]>(files.map((file) => [file, []]));
  for (const intent of intents) {
    const having = files.filter((file) => takes(file, intent, { ...how, options: { ...how.options, add: false } }));
    const takers = having.length > 0 ? having : files.filter((file) => takes(file, intent, how));
    if (having.length === 0 && takers.length > 1) {
      const names = takers.map(({ name }) => name).join(", ");
      throw usage(`each of ${names} could get the new entry`, "Name the one kustomization that is to get it.");
    }
    for (const file of takers.length === 0 ? files.slice(0, 1) : takers) shares.get(file)?.push(intent);
  }
  return shares;
}

/** An intent that a file refuses for another reason than that it lacks what is named is left to that file too. */
function takes({ text, name }: EditableFile, intent: EditIntent, { format, options }: How): boolean {
  try {
    editFile(text, [intent], name, format, options);
    return true;
  } catch (error) {
    return !isGitspanError(error, "edit-not-found");
  }
}

async function output(io: Io, edited: readonly Edited[], { check, diff, write }: EditOptions): Promise<ExitCode> {
  const changed = edited.filter(({ file, result }) => result.text !== file.text);
  if (check === true) {
    for (const { file } of changed) io.stderr.write(`${printable(file.name)} would change\n`);
    return changed.length === 0 ? EXIT.ok : EXIT.failed;
  }
  if (diff === true) {
    for (const { file, result } of changed) io.stdout.write(unifiedDiff(file.name, file.text, result.text));
  } else if (write === true) {
    for (const { file, result } of changed) await writeEditable(file, result.text);
  } else {
    for (const { result } of edited) io.stdout.write(result.text);
  }
  return EXIT.ok;
}
