/** Webhooks of real forges, signed as the forges do. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { record, text, type Value } from "./catalog.ts";

const GOLDEN = path.join(import.meta.dirname, "../golden/tasks");

export interface Webhook {
  name: string;
  forge: string;
  /** In the canonical form in which Go's servers see them. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

export function webhooks(): Webhook[] {
  const lines = gunzipSync(readFileSync(path.join(GOLDEN, "webhooks.jsonl.gz")))
    .toString()
    .trimEnd()
    .split("\n");
  return lines.map((line) => {
    const parsed: unknown = JSON.parse(line);
    const row = record(parsed);
    const headers = Object.entries(record(row["headers"])).map(([name, value]) => [canonical(name), text(value)]);
    return {
      name: text(row["name"]),
      forge: text(row["forge"]),
      headers: Object.fromEntries(headers),
      body: text(row["body"]),
    };
  });
}

export function signed(webhook: Webhook, secret: string): Webhook {
  return { ...webhook, headers: { ...webhook.headers, ...signature(webhook, secret) } };
}

function signature({ forge, body }: Webhook, secret: string): Record<string, string> {
  if (forge === "gitlab") return { "X-Gitlab-Token": secret };
  const hmac = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  return forge.startsWith("bitbucket") ? { "X-Hub-Signature": hmac } : { "X-Hub-Signature-256": hmac };
}

/** As net/textproto: `X-GitHub-Event` is `X-Github-Event`. */
function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

export function publishedSignatures(): Value[] {
  const lines = readFileSync(path.join(GOLDEN, "signatures.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const parsed: unknown = JSON.parse(line);
    return record(parsed);
  });
}
