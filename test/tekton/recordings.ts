import { readFileSync } from "node:fs";

export interface RecordedEvent {
  file: string;
  headers: Record<string, string>;
  body: Record<string, Record<string, Record<string, unknown>>>;
}

export interface RecordedRun {
  file: string;
  run: Record<string, unknown> & { kind?: string; metadata?: Record<string, unknown> };
}

export type EventsFile = "events" | "events-retry" | "events-controller-restart" | "events-derived";

/** One JSON object per line; what each file is stands in `test/golden/tekton/README.md`. */
export function recordedEvents(file: EventsFile): RecordedEvent[] {
  return lines<RecordedEvent>(file);
}

export function recordedRuns(file: "runs" | "chains-runs" | "manifests"): RecordedRun[] {
  return lines<RecordedRun>(file);
}

/** One of them by its name, without `.json`. */
export function recordedEvent(name: string): RecordedEvent {
  const all = [...recordedEvents("events"), ...recordedEvents("events-controller-restart")];
  return named(all, name);
}

export function recordedRun(name: string): RecordedRun["run"] {
  return named(recordedRuns("runs"), name).run;
}

/** Which event type Tekton sends for which condition, by its own table. */
export function eventTypes(): { kind: string; type: string; terminal: boolean }[] {
  return JSON.parse(text("event-types.json")) as { kind: string; type: string; terminal: boolean }[];
}

/** As Node gives them to a server. */
export function headersOf(event: Pick<RecordedEvent, "headers">): Record<string, string> {
  return Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function named<T extends { file: string }>(all: readonly T[], name: string): T {
  const found = all.find(({ file }) => file === `${name}.json`);
  if (found === undefined) throw new Error(`there is no recording ${name}`);
  return found;
}

function lines<T>(file: string): T[] {
  return text(`${file}.jsonl`)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

function text(file: string): string {
  return readFileSync(new URL(`../golden/tekton/${file}`, import.meta.url), "utf8");
}
