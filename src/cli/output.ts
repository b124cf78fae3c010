import { type Command, Option } from "commander";
import type { Io } from "./io.ts";

const FORMATS = ["table", "json", "yaml", "name"] as const;
export type Format = (typeof FORMATS)[number];

/** One answer in all its forms; only the one that is asked for is made. */
export interface Printed {
  data: unknown;
  table: () => string;
  /** `build/ID`, one per line. */
  names: () => readonly string[];
}

export function withOutputOption(command: Command): Command {
  return command.addOption(
    new Option("-o, --output <format>", "how to print the answer").choices(FORMATS).default("table"),
  );
}

export async function print(io: Io, format: Format, printed: Printed): Promise<void> {
  switch (format) {
    case "table":
      io.stdout.write(printed.table());
      return;
    case "json":
      io.stdout.write(`${JSON.stringify(printed.data, null, 2)}\n`);
      return;
    case "yaml": {
      const { stringify } = await import("yaml");
      io.stdout.write(stringify(printed.data, { lineWidth: 0 }));
      return;
    }
    case "name":
      io.stdout.write(
        printed
          .names()
          .map((name) => `${name}\n`)
          .join(""),
      );
  }
}
