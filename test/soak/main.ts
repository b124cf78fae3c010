/** `npm run soak -- git [--bumps N] [--writers N] [--bridges N] [--kill-every S] [--pause S]`: hours in minutes, and the truth looked up afterwards. */
import { parseArgs } from "node:util";
import { soakGit } from "./git.ts";

const usage = "usage: npm run soak -- git [--bumps 2000] [--writers 20] [--bridges 3] [--kill-every 2] [--pause 8]";

function commandLine(): Parameters<typeof soakGit>[0] | undefined {
  try {
    const number = (byDefault: string) => ({ type: "string", default: byDefault }) as const;
    const options = {
      bumps: number("2000"),
      writers: number("20"),
      bridges: number("3"),
      "kill-every": number("2"),
      pause: number("8"),
    };
    const { positionals, values } = parseArgs({ options, allowPositionals: true });
    const wanted = {
      bumps: Number(values.bumps),
      writers: Number(values.writers),
      bridges: Number(values.bridges),
      killEveryMs: Number(values["kill-every"]) * 1000,
      pauseMs: Number(values.pause) * 1000,
    };
    const good = Object.values(wanted).every((value) => Number.isFinite(value) && value >= 0);
    return positionals.join() === "git" && good && wanted.bumps > 0 && wanted.bridges > 0 ? wanted : undefined;
  } catch {
    return undefined;
  }
}

const wanted = commandLine();
if (wanted === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  process.exitCode = (await soakGit(wanted)) ? 0 : 1;
}
