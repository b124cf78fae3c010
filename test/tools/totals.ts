/** Adds up the test counts of one `.ci/run` and prints them as its last line. */
import { readdirSync, readFileSync } from "node:fs";

const folder = ".cache/totals";
const totals = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(folder)) {
  const report: unknown = JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));
  totals.passed += count(report, "numPassedTests");
  // A file that cannot even be loaded counts as one failure, though it has no failed test.
  totals.failed += Math.max(count(report, "numFailedTests"), count(report, "numFailedTestSuites") > 0 ? 1 : 0);
  totals.skipped += count(report, "numPendingTests") + count(report, "numTodoTests");
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;

function count(report: unknown, key: string): number {
  const value: unknown = typeof report === "object" && report !== null ? Reflect.get(report, key) : undefined;
  return typeof value === "number" ? value : 0;
}
