import { type Command, InvalidArgumentError, Option } from "commander";
import { GitspanError, messageOf } from "../model/errors.ts";

/**
 * A Tekton Task has 4,096 bytes for all its results together, its own bookkeeping included; more would fail a run that went well. What
 * does not fit into this many is left out of a list.
 */
const MAX_LIST_BYTES = 2_048;

/** Which value goes into which file. */
export type ResultFiles = ReadonlyMap<string, string>;

/** `--result NAME=FILE`: single values for programs that read files, as Tekton does, so that no shell has to take the answer apart. */
export function withResultOption(command: Command, names: readonly string[]): Command {
  return command.addOption(
    new Option("--result <name=file>", `write ${names.join(" or ")} to a file; may be repeated`).argParser(
      (text: string, before: ResultFiles | undefined): ResultFiles => {
        const equals = text.indexOf("=");
        const [name, file] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
        if (!names.includes(name) || file === "") {
          throw new InvalidArgumentError(`Write it as ${names.map((one) => `${one}=FILE`).join(" or ")}.`);
        }
        return new Map(before).set(name, file);
      },
    ),
  );
}

/** A text as it is, a list as JSON. Throws `usage` when a file cannot be written. */
export async function writeResults(
  files: ResultFiles | undefined,
  values: Readonly<Record<string, string | readonly string[]>>,
): Promise<void> {
  if (files === undefined) return;
  const { writeFile } = await import("node:fs/promises");
  for (const [name, file] of files) {
    const value = values[name];
    if (value === undefined) continue;
    try {
      await writeFile(file, typeof value === "string" ? value : JSON.stringify(fitting(value)));
    } catch (error) {
      throw new GitspanError("usage", `the result ${name} cannot be written: ${messageOf(error)}`, { cause: error });
    }
  }
}

function fitting(list: readonly string[]): readonly string[] {
  let bytes = 2;
  const end = list.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > MAX_LIST_BYTES;
  });
  return end < 0 ? list : list.slice(0, end);
}
