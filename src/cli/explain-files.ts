import { readFile } from "node:fs/promises";
import { messageOf } from "../model/errors.ts";
import { member } from "./batch.ts";
import { usage } from "./edit-intents.ts";
import type { Io } from "./io.ts";

/** A JSON list, or one commit per line. */
export async function readHistory(io: Io, name: string): Promise<unknown> {
  const text = await readText(io, name);
  if (text.trimStart().startsWith("[")) return parseData(name, text);
  return text
    .split("\n")
    .flatMap((line) => line.trim().split(/\s+/).slice(0, 1))
    .filter((sha) => sha !== "");
}

async function readText(io: Io, name: string): Promise<string> {
  if (name === "-") return io.readInput();
  try {
    return await readFile(name, "utf8");
  } catch (error) {
    throw usage(`${name} cannot be read: ${messageOf(error)}`, "Check the path and its permissions.");
  }
}

/** JSON or YAML. */
export async function readData(io: Io, name: string): Promise<unknown> {
  return parseData(name, await readText(io, name));
}

async function parseData(name: string, text: string): Promise<unknown> {
  try {
    if (/^\s*[[{]/.test(text)) return JSON.parse(text);
    const { parse } = await import("yaml");
    return parse(text);
  } catch (error) {
    throw usage(`${name} is neither JSON nor YAML: ${messageOf(error)}`, "Use `kubectl get ... -o json`.");
  }
}

/** The recorded versions of one Application, as a watch brought them. */
export async function readRecording(io: Io, name: string, application: string | undefined): Promise<object[]> {
  const found = new Map<string, object[]>();
  const text = await readText(io, name);
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch (error) {
      throw usage(`${name} has a line that is no JSON: ${messageOf(error)}`, "One object {t, object} per line.");
    }
    const object = member(event, "application") ?? member(event, "object");
    const named = member(member(object, "metadata"), "name") ?? member(event, "name");
    const key = typeof named === "string" ? named : "";
    const events = found.get(key) ?? [];
    events.push({ t: member(event, "t"), application: object });
    found.set(key, events);
  }
  const names = [...found.keys()];
  const wanted = application ?? (names.length === 1 ? names[0] : undefined);
  const events = wanted === undefined ? undefined : found.get(wanted);
  if (events !== undefined) return events;
  throw usage(`${name} has the Applications ${names.join(", ") || "(none)"}`, "Say which with --name.");
}
