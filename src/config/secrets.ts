import { readFile } from "node:fs/promises";
import { GitspanError } from "../model/errors.ts";
import type { SecretReference } from "./configuration.ts";

const MAX_SECRET_BYTES = 64 * 1024;

/**
 * The secret as it is now: read on every call, so that a rotated one is taken up. White space around it is no part of it.
 * Throws `config-unreadable` naming the file or variable, never the content; transient, as mounted files come and go.
 */
export async function resolveSecret(reference: SecretReference, environment = process.env): Promise<string> {
  if ("env" in reference) {
    const value = environment[reference.env]?.trim() ?? "";
    if (value === "") throw unreadable(`the environment variable ${reference.env}`, "is not set or empty");
    return value;
  }
  const value = await contentOf(reference.file);
  if (value.length > MAX_SECRET_BYTES) throw unreadable(reference.file, `is larger than ${MAX_SECRET_BYTES} bytes`);
  if (value.trim() === "") throw unreadable(reference.file, "is empty");
  return value.trim();
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(file, `cannot be read (${reasonOf(error)})`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}

function unreadable(where: string, why: string): GitspanError {
  return new GitspanError("config-unreadable", `secret: ${where} ${why}`, {
    hint: "Check that the secret is mounted or set, and that the process may read it.",
    transient: true,
  });
}
