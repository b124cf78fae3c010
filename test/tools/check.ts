/** `npm run check`: everything that reads the code without running it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { step } from "./run.ts";

const MAX_LINES = 300;

function overlongFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.sql"], { encoding: "utf8" });
  return listed
    .split("\n")
    .filter((file) => file !== "")
    .map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n").length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ file, lines }) => `${file}: ${lines} lines, the cap is ${MAX_LINES}: split it by purpose`);
}

const results = [
  step("typecheck", "tsc", ["--noEmit"]),
  step("lint", "oxlint", []),
  step("format", "biome", ["check", "."]),
  step("dead code", "knip", []),
];
const overlong = overlongFiles();
for (const line of overlong) console.error(line);
process.exitCode = results.every(Boolean) && overlong.length === 0 ? 0 : 1;
