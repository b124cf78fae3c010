/** `npm run build`: the release in `dist/`, plain JavaScript that runs without this repository's tools. */
import { chmodSync, cpSync, rmSync } from "node:fs";
import { step } from "./run.ts";

// What an earlier build left behind must not hide that something is missing.
rmSync("dist", { recursive: true, force: true });
if (step("compile", "tsc", ["-p", "tsconfig.build.json"])) {
  cpSync("src/store/migrations", "dist/store/migrations", { recursive: true });
  chmodSync("dist/main.js", 0o755);
} else {
  process.exitCode = 1;
}
