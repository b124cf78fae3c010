/**
 * What an edit costs and what it leaves alone, over real commits that move images of kustomizations, beside other tools.
 * The peers start a process per file, as people use them; compare ours with a process per file too.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unifiedDiff } from "../../src/model/diff.ts";
import { discover } from "../../src/overlays/discover.ts";
import { editFile } from "../../src/overlays/edit-file.ts";
import type { SetImageIntent } from "../../src/overlays/intents.ts";
import { goldenRows } from "../overlays/golden-rows.ts";
import { type CorpusRow, requestOf } from "../tools/corpus-rows.ts";
import { findPeer } from "../tools/peers.ts";

interface EditRow {
  what: string;
  files: number;
  filesPerSecond: number;
  megabytesPerSecond: number;
  /** Files that came out as the real commit has them. */
  exact?: number;
  /** Lines that differ from it. */
  needlessLines?: number;
  /** Files that the tool failed on. */
  failed?: number;
}

type Row = Omit<CorpusRow, "intents"> & { intents: SetImageIntent[] };
type Tool = (row: Row, folder: string) => string | undefined;

const FILES = ["kustomize-infra-deployments", "kustomize-kubeflow"];
/** Processes are slow to start. */
const PEER_FILES = 100;
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

export async function benchEdit({ json, large }: { json: boolean; large: boolean }): Promise<void> {
  const rows = FILES.flatMap((name) => goldenRows<Row>(name));
  const step = large ? 1 : Math.ceil(rows.length / PEER_FILES);
  const sample = rows.filter((_, index) => index % step === 0);
  const report = (row: EditRow): void => console.log(json ? JSON.stringify({ bench: "edit", ...row }) : lineOf(row));
  // The first ones pay for loading the parser.
  for (const row of sample) inProcess(row);
  report(measured("gitspan, in one process", rows, inProcess));
  report(screened(rows));
  report(batch(rows));
  report(measured("gitspan edit, a process per file", sample, ourProcess));
  for (const [name, what, tool] of PEERS) {
    const peer = findPeer(name);
    if ("absent" in peer)
      console.log(
        json ? JSON.stringify({ bench: "edit", what, skipped: peer.absent }) : `${what}: skipped, ${peer.absent}`,
      );
    else report(measured(what, sample, (row, folder) => tool(peer.path, row, folder)));
  }
}

function inProcess(row: Row): string {
  return editFile(row.before, row.intents, row.path).text;
}

const flagsOf = ({ name, newName, fields }: SetImageIntent): string => {
  const [own, tag, digest] = [fields.newName?.new ?? newName ?? name, fields.newTag?.new, fields.digest?.new];
  return `${name}=${own}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
};

function ourProcess(row: Row, folder: string): string | undefined {
  const file = written(row, folder);
  const flags = row.intents.flatMap((intent) => {
    const index = intent.index ?? 0;
    return Object.entries(intent.fields).flatMap(([key, value]) => ["--at", `images[${index}].${key}=${value.new}`]);
  });
  return run(process.execPath, [MAIN, "edit", "--write", ...flags, file], folder, file);
}

const PEERS: [name: string, what: string, tool: (path: string, row: Row, folder: string) => string | undefined][] = [
  [
    "kustomize",
    "kustomize edit set image",
    (path, row, folder) =>
      run(path, ["edit", "set", "image", ...row.intents.map(flagsOf)], folder, written(row, folder)),
  ],
  [
    "yq",
    "yq",
    (path, row, folder) => {
      const set = row.intents.flatMap(({ index, fields }) =>
        Object.entries(fields).map(([key, value]) => `.images[${index ?? 0}].${key} = ${JSON.stringify(value.new)}`),
      );
      // Both programs of this name: the one in Go, and the one around jq, which needs to be told to write YAML.
      const flags = isJqWrapper(path) ? ["-y", "-i"] : ["-i"];
      const file = written(row, folder);
      return run(path, [...flags, set.join(" | "), file], folder, file);
    },
  ],
];

let wrapper: boolean | undefined;

function isJqWrapper(path: string): boolean {
  wrapper ??= !spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.includes("mikefarah");
  return wrapper;
}

function written(row: Row, folder: string): string {
  const file = join(folder, "kustomization.yaml");
  writeFileSync(file, row.before);
  return file;
}

function run(program: string, args: readonly string[], cwd: string, file: string): string | undefined {
  return spawnSync(program, args, { cwd }).status === 0 ? readFileSync(file, "utf8") : undefined;
}

function measured(what: string, rows: readonly Row[], tool: Tool): EditRow {
  const folder = mkdtempSync(join(tmpdir(), "gitspan-bench-"));
  try {
    const started = performance.now();
    const results = rows.map((row) => tool(row, folder));
    return summary(what, rows, results, performance.now() - started);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One image looked for in all files: most are not even parsed. */
function screened(rows: readonly Row[]): EditRow {
  const files = new Map(rows.map((row, index) => [`${index}/file.yaml`, row.before]));
  const [wanted] = rows.flatMap(({ intents }) => intents.map(({ name }) => name));
  const started = performance.now();
  discover(files, wanted);
  return speed("gitspan, one image looked for in all", rows, performance.now() - started);
}

function batch(rows: readonly Row[]): EditRow {
  const input = rows.map(
    (row) => `${JSON.stringify(requestOf({ ...row, intents: row.intents.map((one) => ({ ...one })) }))}\n`,
  );
  const started = performance.now();
  const { stdout } = spawnSync(process.execPath, [MAIN, "edit", "--batch"], {
    input: input.join(""),
    encoding: "utf8",
    maxBuffer: 1024 ** 3,
  });
  const answers = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { after?: string });
  return summary(
    "gitspan edit --batch, with its start",
    rows,
    answers.map(({ after }) => after),
    performance.now() - started,
  );
}

function speed(what: string, rows: readonly Row[], ms: number): EditRow {
  const bytes = rows.reduce((sum, { before }) => sum + Buffer.byteLength(before), 0);
  return {
    what,
    files: rows.length,
    filesPerSecond: Math.round((rows.length / ms) * 1000),
    megabytesPerSecond: Math.round((bytes / ms) * 10) / 10_000,
  };
}

function summary(what: string, rows: readonly Row[], results: readonly (string | undefined)[], ms: number): EditRow {
  const [counts, row] = [{ exact: 0, needlessLines: 0, failed: 0 }, speed(what, rows, ms)];
  rows.forEach(({ after }, index) => {
    const result = results[index];
    if (result === undefined) counts.failed++;
    else if (result === after) counts.exact++;
    else counts.needlessLines += differing(after, result);
  });
  return { ...row, ...counts };
}

function differing(expected: string, result: string): number {
  return unifiedDiff("f", expected, result)
    .split("\n")
    .slice(2)
    .filter((line) => /^[+-]/.test(line)).length;
}

function lineOf({ what, files, filesPerSecond, megabytesPerSecond, exact, needlessLines, failed }: EditRow): string {
  const cells = [
    what.padEnd(38),
    `${files} files`.padStart(10),
    `${filesPerSecond} files/s`.padStart(14),
    `${megabytesPerSecond} MB/s`.padStart(12),
  ];
  if (exact !== undefined) cells.push(`${exact} exact, ${needlessLines} needless lines, ${failed} failed`.padStart(44));
  return cells.join(" ");
}
