/** `npm run test:system`: what needs more than Node and git on the machine. */
import { vitest } from "./run.ts";

process.exitCode = vitest("system", ["system"]) ? 0 : 1;
