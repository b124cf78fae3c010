import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfiguration } from "../../src/config/read.ts";
import { resolveSecret } from "../../src/config/secrets.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gitspan-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a secret is read again on every call, without the white space around it", async () => {
  const file = join(folder, "token");
  await writeFile(file, "first\n");
  expect(await resolveSecret({ file })).toBe("first");
  await writeFile(file, " second \r\n");
  expect(await resolveSecret({ file })).toBe("second");
  const environment: NodeJS.ProcessEnv = { TOKEN: "third" };
  expect(await resolveSecret({ env: "TOKEN" }, environment)).toBe("third");
  environment.TOKEN = "fourth";
  expect(await resolveSecret({ env: "TOKEN" }, environment)).toBe("fourth");
});

test("a secret that is not there is named, and may come", async () => {
  const file = join(folder, "missing");
  const expected = { code: "config-unreadable", transient: true };
  await expect(resolveSecret({ file })).rejects.toMatchObject({
    ...expected,
    message: `secret: ${file} cannot be read (ENOENT)`,
  });
  await expect(resolveSecret({ env: "NOPE" }, {})).rejects.toMatchObject({
    ...expected,
    message: "secret: the environment variable NOPE is not set or empty",
  });
  await writeFile(file, " \n");
  await expect(resolveSecret({ file })).rejects.toMatchObject({ ...expected, message: `secret: ${file} is empty` });
});

test("a secret that is far too long is refused without showing it", async () => {
  const file = join(folder, "huge");
  await writeFile(file, "hunter2".repeat(20_000));
  await expect(resolveSecret({ file })).rejects.toThrow(/is larger than 65536 bytes$/);
});

test("a configuration that cannot be read says which file and why", async () => {
  const file = join(folder, "gitspan.yaml");
  await expect(readConfiguration(file)).rejects.toMatchObject({
    code: "config-unreadable",
    message: expect.stringContaining(`${file} cannot be read: ENOENT`),
  });
  await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]));
  await expect(readConfiguration(file)).rejects.toMatchObject({ code: "config-unreadable" });
  await writeFile(file, "\uFEFFapiVersion: v0\n");
  await expect(readConfiguration(file)).rejects.toMatchObject({ code: "config-invalid" });
});
