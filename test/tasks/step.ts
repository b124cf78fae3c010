/** Runs the script of a shipped step on this machine, with the environment that Tekton would give it. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text as textOf } from "node:stream/consumers";
import { list, nameOf, record, taskSpecs, text, textsIn } from "./catalog.ts";

export interface StepInput {
  /** Task as in `task/NAME/...`, or the file of a Pipeline and the Task in it. */
  task: string;
  step: string;
  params?: Readonly<Record<string, string | readonly string[]>>;
  /** Folders of bound workspaces; those that are not bound are empty, as Tekton has them. */
  workspaces?: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
}

export interface StepResult {
  code: number;
  output: string;
  /** What was written, by the result's name. */
  results: Record<string, string>;
}

export async function runStep({ task, step, params = {}, workspaces = {}, env = {} }: StepInput): Promise<StepResult> {
  const spec = record(taskSpecs().find(({ title }) => title.includes(task))?.spec);
  const found = record(list(spec["steps"]).find((one) => nameOf(one) === step));
  const folder = await mkdtemp(path.join(tmpdir(), "gitspan-step-"));
  const [results, home] = [path.join(folder, "results"), path.join(folder, "home")];
  for (const made of [results, home]) await mkdir(made);
  const values = new Map<string, string | readonly string[]>();
  for (const param of list(spec["params"])) {
    const standard = param["default"];
    values.set(`params.${nameOf(param)}`, isText(standard) ? standard : textsIn(standard));
  }
  for (const [name, value] of Object.entries(params)) values.set(`params.${name}`, value);
  for (const one of list(spec["workspaces"]))
    values.set(`workspaces.${nameOf(one)}.path`, workspaces[nameOf(one)] ?? "");
  for (const one of list(spec["results"])) values.set(`results.${nameOf(one)}.path`, path.join(results, nameOf(one)));
  const filled = (value: string) =>
    value.replaceAll(/\$\(([\w.-]+)\)/g, (whole, name: string) => String(values.get(name) ?? whole));
  const given = list(found["env"]).map((one) => [nameOf(one), filled(text(one["value"]))] as const);
  const args = textsIn(found["args"]).flatMap(
    (arg) => values.get(/^\$\(([\w.-]+)\[\*\]\)$/.exec(arg)?.[1] ?? "") ?? [filled(arg)],
  );
  const script = path.join(folder, "script");
  await writeFile(script, text(found["script"]), { mode: 0o755 });
  const child = spawn(script, args.flat(), {
    cwd: filled(isText(found["workingDir"]) ? found["workingDir"] : folder),
    env: { PATH: process.env.PATH, ...Object.fromEntries(given), HOME: home, TMPDIR: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, error, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number>((resolve) => child.on("close", (exit) => resolve(exit ?? -1))),
  ]);
  const written = await Promise.all(
    (await readdir(results)).map(async (name) => [name, await readFile(path.join(results, name), "utf8")] as const),
  );
  return { code, output: out + error, results: Object.fromEntries(written) };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
