/** `npm run bench -- <name>... [--json] [--large]`: what things cost, measured on this machine. */
import { parseArgs } from "node:util";
import { benchArgoCd } from "./argocd.ts";
import { benchEdit } from "./edit.ts";
import { benchGit } from "./git.ts";
import { benchIntake } from "./intake.ts";
import { benchTrust } from "./trust.ts";

interface BenchOptions {
  /** One line of JSON per row. */
  json: boolean;
  /** Sizes that take minutes, too. */
  large: boolean;
}

const benches: Record<string, (options: BenchOptions) => Promise<unknown>> = {
  argocd: benchArgoCd,
  edit: benchEdit,
  git: benchGit,
  intake: benchIntake,
  trust: benchTrust,
};

const usage = `usage: npm run bench -- <name>... [--json] [--large]
names: ${Object.keys(benches).join(", ")}`;

function commandLine(): { names: string[]; options: BenchOptions } | undefined {
  try {
    const options = { json: { type: "boolean", default: false }, large: { type: "boolean", default: false } } as const;
    const { positionals, values } = parseArgs({ options, allowPositionals: true });
    const known = positionals.every((name) => Object.hasOwn(benches, name));
    return known && positionals.length > 0 ? { names: positionals, options: values } : undefined;
  } catch {
    return undefined;
  }
}

const wanted = commandLine();
if (wanted === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  for (const name of wanted.names) await benches[name]?.(wanted.options);
}
