/** `npm test`: the check, then unit and integration tests (the short simulation is one of them). */
import { resolve } from "node:path";
import { bundle } from "./bundle.ts";
import { step, vitest } from "./run.ts";

// The bridges that tests kill start a hundred times: as one file in a third of the time.
await bundle("test/kill/victim.ts", ".cache/victim");
process.env.GITSPAN_VICTIM = resolve(".cache/victim/victim.js");

const results = [step("check", process.execPath, ["test/tools/check.ts"]), vitest("test", ["unit", "integration"])];
process.exitCode = results.every(Boolean) ? 0 : 1;
