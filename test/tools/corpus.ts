/**
 * `node test/tools/corpus.ts DIR`: runs `gitspan edit --batch` over every `*.jsonl.gz` of recorded bumps in a folder and
 * says what became of them: byte-equal, policy rows, and failures by flag and by error code. Exit code 1 below 95 %.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gunzipSync } from "node:zlib";
import { type Answer, type CorpusRow, requestOf } from "./corpus-rows.ts";

const GOAL = 0.95;

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node test/tools/corpus.ts DIR");

let [rows, equal, policy] = [0, 0, 0];
for (const name of readdirSync(folder).filter((file) => file.endsWith(".jsonl.gz"))) {
  const lines = gunzipSync(readFileSync(join(folder, name)))
    .toString("utf8")
    .trimEnd()
    .split("\n");
  const found = await report(
    name,
    lines.map((line) => JSON.parse(line) as CorpusRow),
  );
  rows += found.rows;
  equal += found.equal;
  policy += found.policy;
}
const share = equal / (rows - policy);
console.log(`all: ${rows} rows, ${equal} byte-equal, ${policy} by policy; ${(100 * share).toFixed(2)} %`);
process.exitCode = share >= GOAL ? 0 : 1;

async function report(name: string, corpus: readonly CorpusRow[]) {
  const started = performance.now();
  const answers = await edited(corpus);
  const [byFlag, byCode] = [new Map<string, number>(), new Map<string, number>()];
  const counts = { rows: corpus.length, equal: 0, policy: 0 };
  const examples: string[] = [];
  for (const [index, row] of corpus.entries()) {
    const answer = answers[index];
    if (answer?.id !== row.id) throw new Error(`${name}: line ${index + 1} was answered out of order`);
    if (answer.after === row.after) {
      counts.equal++;
      continue;
    }
    // A number-like tag that the commit left without quotes and we put into them.
    if (answer.error === undefined && row.flags.some((flag) => flag.startsWith("non-string-core:"))) {
      counts.policy++;
      continue;
    }
    const code = answer.error?.code ?? "differs";
    byCode.set(code, (byCode.get(code) ?? 0) + 1);
    for (const flag of row.flags) byFlag.set(flag, (byFlag.get(flag) ?? 0) + 1);
    examples.push(`    ${row.id} ${row.path}: ${answer.error?.message ?? "the result differs"}`);
  }
  const ms = performance.now() - started;
  console.log(
    `${name}: ${counts.rows} rows, ${counts.equal} byte-equal, ${counts.policy} by policy, ${ms.toFixed(0)} ms`,
  );
  for (const [code, count] of byCode) console.log(`  ${code}: ${count}`);
  for (const [flag, count] of byFlag) console.log(`  flag ${flag}: ${count}`);
  for (const example of examples.slice(0, 10)) console.log(example);
  return counts;
}

/** One process for all rows, as a user would do it. */
async function edited(corpus: readonly CorpusRow[]): Promise<Answer[]> {
  const main = new URL("../../src/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main, "edit", "--batch"], { stdio: ["pipe", "pipe", "inherit"] });
  const answers: Answer[] = [];
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line) as Answer);
  })();
  for (const row of corpus) {
    if (!child.stdin.write(`${JSON.stringify(requestOf(row))}\n`)) await once(child.stdin, "drain");
  }
  child.stdin.end();
  await reading;
  return answers;
}
