/** `npm run build`: the release in `dist/`, plain JavaScript that runs without this repository's tools. */
import { chmodSync } from "node:fs";
import { bundle } from "./bundle.ts";

await bundle("src/main.ts", "dist");
chmodSync("dist/main.js", 0o755);
