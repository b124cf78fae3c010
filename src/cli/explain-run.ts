import { messageOf } from "../model/errors.ts";
import { parseImageReference } from "../model/image.ts";
import type { Evidence, JudgeSettings, Verdict } from "../model/observation.ts";
import { member, runBatch } from "./batch.ts";
import { usage } from "./edit-intents.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { readData, readHistory, readRecording } from "./explain-files.ts";
import type { Io } from "./io.ts";
import type { JudgeModule } from "./judge-module.ts";
import { type Format, print } from "./output.ts";
import { formatTable, printable } from "./table.ts";

/** What the command line of `gitspan explain` says. */
export interface ExplainOptions {
  application?: string;
  replay?: string;
  name?: string;
  batch?: true;
  commit?: string;
  history?: string;
  image: string[];
  pods?: string;
  baseline?: string;
  settle: number;
  degradedAfter: number;
  timeout: number;
  output: Format;
}

type Step = ReturnType<JudgeModule["explainRaw"]>[number];

/** `gitspan explain`: one Application, a recording of one, or many questions; exits with 1 for a failed verdict. */
export async function runExplain(io: Io, options: ExplainOptions): Promise<ExitCode> {
  const settings = { settleMs: options.settle, degradedMs: options.degradedAfter, timeoutMs: options.timeout };
  const judge = await io.loadJudge();
  if (options.batch === true) {
    if ([options.commit, options.history, options.pods, options.baseline, ...options.image].some(isGiven)) {
      throw usage("--batch takes no question of its own", "Each line of standard input has one.");
    }
    return runBatch(io, "judged", (request) => shortAnswer(judge, settings, request));
  }
  const steps = await ask(io, judge, settings, options);
  const last = steps.at(-1);
  if (last === undefined) throw usage("nothing is recorded", "Give at least one Application.");
  if (options.replay === undefined) await print(io, options.output, printedVerdict(last.verdict));
  else for (const step of steps) io.stdout.write(await stepLine(options.output, step));
  return last.verdict.state === "failed" ? EXIT.failed : EXIT.ok;
}

function isGiven(option: string | undefined): boolean {
  return option !== undefined;
}

function shortAnswer(judge: JudgeModule, settings: JudgeSettings, request: unknown): object {
  const last = judge
    .explainRaw(
      {
        snapshots: member(request, "snapshots"),
        commit: member(request, "commit"),
        history: member(request, "history"),
        images: member(request, "images"),
        pods: member(request, "pods"),
        baseline: member(request, "baseline"),
        pushedAt: member(request, "pushedAt"),
      },
      { settings },
    )
    .at(-1);
  return { state: last?.verdict.state, reason: last?.verdict.reason ?? null, at: last?.at };
}

async function ask(io: Io, judge: JudgeModule, settings: JudgeSettings, options: ExplainOptions): Promise<Step[]> {
  const { application, replay, commit, history, image, pods, baseline } = options;
  if (commit === undefined) throw usage("there is no commit to judge", "Say which with --commit.");
  if ((application ?? replay) === undefined) {
    throw usage("there is no Application to judge", "Give --application FILE, --replay FILE or --batch.");
  }
  const question = {
    snapshots:
      replay === undefined
        ? [{ t: 0, application: await readData(io, application ?? "-") }]
        : await readRecording(io, replay, options.name),
    commit,
    history: history === undefined ? undefined : await readHistory(io, history),
    images: { new: image.map(referenceOf) },
    pods: pods === undefined ? undefined : await readData(io, pods),
    baseline: baseline === undefined ? undefined : await readData(io, baseline),
  };
  return judge.explainRaw(question, { settings, noTail: replay === undefined });
}

function referenceOf(text: string): string {
  try {
    parseImageReference(text);
    return text;
  } catch (error) {
    throw usage(`--image ${text}: ${messageOf(error)}`, "Write NAME:TAG@DIGEST.");
  }
}

function printedVerdict(verdict: Verdict) {
  return {
    data: verdict,
    names: () => [wordOf(verdict)],
    table: () => `${wordOf(verdict)}: ${printable(verdict.message)}\n${formatTable(verdict.evidence.map(rowOf))}`,
  };
}

function rowOf({ field, value, rule }: Evidence): string[] {
  return ["", field, value, rule];
}

function wordOf({ state, reason }: Verdict): string {
  return reason === undefined ? state : `${state}(${reason})`;
}

async function stepLine(format: Format, { at, verdict }: Step): Promise<string> {
  switch (format) {
    case "json":
      return `${JSON.stringify({ at, ...verdict })}\n`;
    case "yaml": {
      const { stringify } = await import("yaml");
      return `---\n${stringify({ at, ...verdict }, { lineWidth: 0 })}`;
    }
    case "name":
      return `${wordOf(verdict)}\n`;
    case "table":
      return `${[String(at), wordOf(verdict), verdict.message].map(printable).join("  ")}\n`;
  }
}
