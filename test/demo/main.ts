/** `npm run demo [-- --once]`: the whole main job on this machine, with nothing simulated but Argo CD. */
import { chapters, nextSteps, type Screen } from "./chapters.ts";
import { startDemo } from "./environment.ts";

const once = process.argv.includes("--once");
const say = (line: string) => process.stdout.write(`${line}\n`);
let failed = 0;
let told = false;

const screen: Screen = {
  title: (text) => say(`\n== ${text}`),
  line: say,
  expect(what, holds) {
    if (!holds) failed++;
    say(`  ${holds ? "ok    " : "NOT OK"} ${what}`);
  },
};

// Asked for from the start: an interrupted story also leaves no PostgreSQL and no directory behind.
const interrupted = new Promise<void>((resolve) => {
  process.once("SIGINT", () => resolve());
  process.once("SIGTERM", () => resolve());
});

const demo = await startDemo(say);
try {
  await Promise.race([tell(), interrupted]);
  process.exitCode = told ? Number(failed > 0) : 130;
} finally {
  await demo.close();
}

async function tell(): Promise<void> {
  for (const chapter of chapters) await chapter(demo, screen);
  say(
    failed === 0
      ? "\nEverything ended as it should."
      : `\n${failed} things did not end as they should; log: ${demo.logFile}`,
  );
  told = true;
  if (once) return;
  say("\nIt stays up; try next (Ctrl-C ends it):\n");
  for (const line of nextSteps(demo)) say(`  ${line}`);
  await interrupted;
}
