import { isGitspanError, messageOf } from "../model/errors.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";

export interface BatchError {
  code: string;
  message: string;
  line?: number | undefined;
  column?: number | undefined;
  hint?: string | undefined;
}

/**
 * Answers each line of standard input, one JSON object, with one line, in order, each as soon as it is read. What is
 * wrong with one line is said in its answer, and the next one is read: the exit code is 0 whenever every line has an
 * answer. `done` is what a line without an answer is not.
 */
export async function runBatch(io: Io, done: string, answer: (request: unknown) => object): Promise<ExitCode> {
  let [total, failed] = [0, 0];
  for await (const line of linesOf(io.inputBytes())) {
    io.signal.throwIfAborted();
    if (line.trim() === "") continue;
    const answered = answerTo(line, answer);
    total++;
    if ("error" in answered) failed++;
    io.stdout.write(`${JSON.stringify(answered)}\n`);
    if (io.stdout.writableNeedDrain === true) await new Promise<void>((resolve) => io.stdout.once?.("drain", resolve));
  }
  if (failed > 0) io.stderr.write(`gitspan: ${failed} of ${total} were not ${done}\n`);
  return EXIT.ok;
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  yield rest + decoder.decode();
}

function answerTo(line: string, answer: (request: unknown) => object): object | { id: unknown; error: BatchError } {
  let id: unknown = null;
  try {
    const request: unknown = JSON.parse(line);
    id = member(request, "id") ?? null;
    return { id, ...answer(request) };
  } catch (error) {
    const code = isGitspanError(error) ? error.code : error instanceof SyntaxError ? "bad-request" : "internal";
    const { at, hint } = isGitspanError(error) ? error : {};
    return { id, error: { code, message: messageOf(error), line: at?.line, column: at?.column, hint } };
  }
}

/** A field of something that may be anything. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
