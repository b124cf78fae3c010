/** `npm run simulate -- --seeds N [--seed S]`: many runs, or one run with its trace. */
import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

const USAGE = "usage: npm run simulate -- --seeds N, or --seed S to replay one run with its trace";

function options(): { seeds: string; seed?: string } {
  try {
    return parseArgs({ options: { seeds: { type: "string", default: "100" }, seed: { type: "string" } } }).values;
  } catch {
    console.error(USAGE);
    return process.exit(2);
  }
}

const values = options();
const first = values.seed === undefined ? 1 : Number(values.seed);
const count = values.seed === undefined ? Number(values.seeds) : 1;
if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
  console.error(USAGE);
  process.exit(2);
}

const totals = { commits: 0, deliveries: 0, crashes: 0, failed: 0 };
const outcomes: Record<string, number> = {};
for (let seed = first; seed < first + count; seed++) {
  const result = await simulate(seed);
  totals.commits += result.commits;
  totals.deliveries += result.deliveries;
  totals.crashes += result.crashes;
  for (const [outcome, times] of Object.entries(result.outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + times;
  if (values.seed !== undefined || result.violations.length > 0) console.log(result.trace.join("\n"));
  if (result.violations.length === 0) continue;
  totals.failed++;
  console.log(`seed ${seed} breaks a promise (replay: npm run simulate -- --seed ${seed})`);
  for (const violation of result.violations) console.log(`  ${violation}`);
}
console.log(
  `${count} seeds, ${totals.failed} failed; ${totals.deliveries} deliveries, ${totals.commits} commits, ${totals.crashes} crashes`,
);
console.log(
  Object.entries(outcomes)
    .map(([outcome, times]) => `${outcome} ${times}`)
    .join(", "),
);
process.exitCode = totals.failed === 0 ? 0 : 1;
