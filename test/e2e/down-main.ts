/** `npm run e2e:down [-- --wipe]`. */
import { down } from "./cluster/down.ts";

try {
  await down(process.argv.includes("--wipe"));
} catch (error) {
  console.error(`e2e: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
