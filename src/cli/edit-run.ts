import { unifiedDiff } from "../model/diff.ts";
import { isGitspanError } from "../model/errors.ts";
import type { EditResult } from "../overlays/change.ts";
import { type EditFormat, editFile } from "../overlays/edit-file.ts";
import type { EditIntent } from "../overlays/intents.ts";
import { runEditBatch } from "./edit-batch.ts";
import { type EditableFile, readEditable, writeEditable } from "./edit-files.ts";
import { formatOf, intentsOf, usage } from "./edit-intents.ts";
import type { EditOptions } from "./edit-options.ts";
import { showRefusal } from "./edit-refusal.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";

const STDIN = "-";

/** `gitspan edit`: all files or none are written. */
export async function runEdit(io: Io, paths: readonly string[], options: EditOptions): Promise<ExitCode> {
  const format = formatOf(options.format);
  if (options.batch === true) {
    if (paths.length + options.image.length + options.ref.length + options.at.length > 0)
      throw usage("--batch takes neither files nor changes", "Each line of standard input has its own.");
    return runEditBatch(io, format);
  }
  const intents = intentsOf(options);
  const names = paths.length === 0 ? [STDIN] : [...new Set(paths)];
  checkTargets(names, options);
  const files: EditableFile[] = [];
  for (const name of names) files.push(await readEditable(io, name));
  const edited = editAll(io, files, intents, format);
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

interface Edited {
  file: EditableFile;
  result: EditResult;
}

/** The exit code when a file was refused. */
function editAll(
  io: Io,
  files: readonly EditableFile[],
  intents: readonly EditIntent[],
  format: EditFormat,
): Edited[] | ExitCode {
  const edited: Edited[] = [];
  const refused: ExitCode[] = [];
  const own = files.length === 1 ? undefined : sharedOut(files, intents, format);
  for (const file of files) {
    try {
      const meant = own?.get(file) ?? intents;
      edited.push({ file, result: editFile(file.text, meant, file.name, format) });
    } catch (error) {
      refused.push(showRefusal(io, error, file.text));
    }
  }
  return refused[0] ?? edited;
}

/**
 * Which of several files each intent is for: those that have what it names. One that no file has is left to the first,
 * which refuses it. An intent that a file refuses for another reason is left to that file too.
 */
function sharedOut(
  files: readonly EditableFile[],
  intents: readonly EditIntent[],
  format: EditFormat,
): Map<EditableFile, EditIntent[]> {
  const shares = new Map<EditableFile, EditIntent[]>(files.map((file) => [file, []]));
  for (const intent of intents) {
    const takers = files.filter((file) => {
      try {
        editFile(file.text, [intent], file.name, format);
        return true;
      } catch (error) {
        return !isGitspanError(error, "edit-not-found");
      }
    });
    for (const file of takers.length === 0 ? files.slice(0, 1) : takers) shares.get(file)?.push(intent);
  }
  return shares;
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
