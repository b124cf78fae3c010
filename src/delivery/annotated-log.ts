import type { AnnotatedState } from "../model/annotated.ts";
import { formatApplicationRef } from "../model/application.ts";
import type { Log } from "./ports.ts";

/** So many lines for one change; the rest is counted. */
const MAX_LINES = 20;

/** Says what became of annotated Applications since the state before. */
export function logChanges(log: Log, before: AnnotatedState, after: AnnotatedState): void {
  const [old, now] = [linesOf(before), linesOf(after)];
  const news = [...now].filter(([key]) => !old.has(key));
  for (const [, { level, message, fields }] of news.slice(0, MAX_LINES)) log[level](message, fields);
  const ids = new Set(after.targets.map(({ target }) => target.id));
  const gone = before.targets.filter(({ target }) => !ids.has(target.id)).map(({ target }) => target.id);
  for (const target of gone.slice(0, MAX_LINES)) log.info("an annotated Application is no target any more", { target });
  const more = Math.max(0, news.length - MAX_LINES) + Math.max(0, gone.length - MAX_LINES);
  if (more > 0) log.info("more annotated Applications changed", { more, targets: after.targets.length });
}

interface Line {
  level: "info" | "warn";
  message: string;
  fields: Record<string, unknown>;
}

function linesOf({ targets, refused }: AnnotatedState): Map<string, Line> {
  const lines = [
    ...refused.map(({ application, message, hint }): Line => {
      const fields = { application: formatApplicationRef(application), reason: message, hint };
      return { level: "warn", message: "an annotated Application is no target", fields };
    }),
    ...targets.map(({ target: { id, misplaced, applications } }): Line => {
      const fields = { target: id, applications: applications?.map(formatApplicationRef) };
      return misplaced === undefined
        ? { level: "info", message: "an annotated Application is a target", fields }
        : {
            level: "warn",
            message: "a target of annotated Applications cannot be written",
            fields: { ...fields, ...misplaced },
          };
    }),
  ];
  return new Map(lines.map((line) => [JSON.stringify([line.message, line.fields]), line]));
}
