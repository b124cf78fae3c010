import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

function start(...args: string[]) {
  return spawn(process.execPath, [main, "edit", ...args], { stdio: ["pipe", "pipe", "pipe"] });
}

test("a batch is answered line by line, while more is still to come", async () => {
  const child = start("--batch");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const id of [1, 2]) {
    child.stdin.write(
      `${JSON.stringify({ id, before: "a: x\n", intents: [{ op: "set-value", path: ["a"], new: "z" }] })}\n`,
    );
    expect((await lines.next()).value).toBe(`{"id":${id},"after":"a: z\\n","warnings":[]}`);
  }
  child.stdin.end();
  expect(await once(child, "close")).toEqual([0, null]);
});

test("standard input is taken byte for byte", async () => {
  const child = start("--image", "r.io/app:v2");
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end("\uFEFF# \u{1F680} é\r\nimage: r.io/app:v1");
  expect(await once(child, "close")).toEqual([0, null]);
  expect(Buffer.concat(chunks).toString("utf8")).toBe("\uFEFF# \u{1F680} é\r\nimage: r.io/app:v2");
});
