import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** The rows of a file in test/golden/overlays. */
export function goldenRows<T>(name: string): T[] {
  const packed = readFileSync(new URL(`../golden/overlays/${name}.jsonl.gz`, import.meta.url));
  const lines = gunzipSync(packed).toString("utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as T);
}
