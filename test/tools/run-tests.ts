/** `npm test`: the check, then unit and integration tests (the short simulation is one of them). */
import { step, vitest } from "./run.ts";

const results = [step("check", process.execPath, ["test/tools/check.ts"]), vitest("test", ["unit", "integration"])];
process.exitCode = results.every(Boolean) ? 0 : 1;
