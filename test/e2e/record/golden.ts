/** Where recordings go, and what is cut out of them. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { environment, secretIn } from "../fixtures/environment.ts";

const folder = path.resolve("test/golden/e2e");

export function writeLines(name: string, rows: readonly object[]): void {
  write(name, rows.map((row) => JSON.stringify(row, withoutNoise)).join("\n"));
}

export function write(name: string, text: string): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  const redacted = Buffer.from(`${redact(text)}\n`);
  writeFileSync(file, name.endsWith(".gz") ? gzipSync(redacted, { level: 9 }) : redacted);
}

/** Raw bytes, of which only known secrets could be in the head of an HTTP message. */
export function writeRaw(name: string, bytes: Buffer): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

function withoutNoise(key: string, value: unknown): unknown {
  return key === "managedFields" ? undefined : value;
}

/** Tokens of the accounts that the tests know, bearer tokens, and the signature of any JSON web token. */
function redact(text: string): string {
  const known = [environment.giteaTokenFile, environment.argocdTokenFile].map((file) => secretIn(file));
  return known
    .reduce((all, secret) => all.replaceAll(secret, "REMOVED"), text)
    .replace(/\bgsp_[A-Za-z0-9_-]+/g, "gsp_REMOVED")
    .replace(/\b(eyJ[\w-]+\.eyJ[\w-]+)\.[\w-]+/g, "$1.SIGNATURE-REMOVED");
}
