import { GitspanError, messageOf } from "../model/errors.ts";
import { parseImageReference } from "../model/image.ts";
import type { Io } from "./io.ts";

export interface BuildFlags {
  image?: string[];
  commit?: string;
  repository?: string;
  ref?: string;
  commitTime?: string;
  subject?: string;
  author?: string;
  runKind?: string;
  runName?: string;
  runUid?: string;
  runNamespace?: string;
  runUrl?: string;
  runFinishedAt?: string;
}

/** The report from a file (`-`: standard input) or from flags, never both. Throws `usage`; the server checks the rest. */
export async function readReport(io: Io, file: string | undefined, flags: BuildFlags): Promise<unknown> {
  if (file === undefined) return reportFromFlags(flags);
  if (Object.values(flags).some((value) => value !== undefined)) {
    throw new GitspanError("usage", "give the build as a file or by flags, not both");
  }
  const text = file === "-" ? await io.readInput() : await readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GitspanError("usage", `${file === "-" ? "the input" : file} is not JSON: ${messageOf(error)}`);
  }
}

function reportFromFlags(flags: BuildFlags): unknown {
  const { image, commit, repository } = flags;
  if (image === undefined || commit === undefined || repository === undefined) {
    throw new GitspanError("usage", "a build needs at least --image, --commit and --repository, or a file", {
      hint: "Example: gitspan send --image registry.example.com/app:1.2 --commit $SHA --repository $URL",
    });
  }
  return {
    images: image.map(imageOf),
    source: {
      repository,
      commit,
      ref: flags.ref,
      time: flags.commitTime,
      subject: flags.subject,
      author: flags.author,
    },
    run: runOf(flags),
  };
}

/** `[NAME=]REPOSITORY[:TAG][@DIGEST]`; a reference has no equals sign of its own. */
function imageOf(text: string): unknown {
  const equals = text.indexOf("=");
  const reference = parseReference(text.slice(equals + 1));
  return equals < 0 ? reference : { name: text.slice(0, equals), ...reference };
}

function parseReference(text: string): object {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (!(error instanceof GitspanError)) throw error;
    throw new GitspanError("usage", error.message, { hint: error.hint });
  }
}

function runOf(flags: BuildFlags): unknown {
  const { runKind, runName, runUid, runNamespace, runUrl, runFinishedAt } = flags;
  const given = [runKind, runName, runUid, runNamespace, runUrl, runFinishedAt];
  if (given.every((value) => value === undefined)) return undefined;
  if (runName === undefined || runUid === undefined) {
    throw new GitspanError("usage", "a run needs --run-name and --run-uid");
  }
  return {
    kind: runKind ?? "Run",
    name: runName,
    uid: runUid,
    namespace: runNamespace,
    url: runUrl,
    finishedAt: runFinishedAt,
  };
}

async function readText(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new GitspanError("usage", `the file cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
