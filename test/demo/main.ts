/** `npm run demo [-- --once]`: the whole main job on this machine, with nothing simulated but Argo CD. */
import { chapters, nextSteps, type Screen } from "./chapters.ts";
import { startDemo } from "./environment.ts";

const once = process.argv.includes("--once");
const say = (line: string) => process.stdout.write(`${line}\n`);
let failed = 0;

const screen: Screen = {
  title: (text) => say(`\n== ${text}`),
  line: say,
  expect(what, holds) {
    if (!holds) failed++;
    say(`  ${holds ? "ok    " : "NOT OK"} ${what}`);
  },
};

const demo = await startDemo(say);
try {
  for (const chapter of chapters) await chapter(demo, screen);
  say(
    failed === 0
      ? "\nEverything ended as it should."
      : `\n${failed} things did not end as they should; log: ${demo.logFile}`,
  );
  if (!once) {
    say("\nIt stays up; try next (Ctrl-C ends it):\n");
    for (const line of nextSteps(demo)) say(`  ${line}`);
    await interrupted();
  }
} finally {
  await demo.close();
}
process.exitCode = failed === 0 ? 0 : 1;

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
