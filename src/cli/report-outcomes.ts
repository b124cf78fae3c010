import { formatOutcome } from "../model/delivery.ts";
import { type ExitCode, exitCodeOfOutcomes } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";
import type { BuildBody } from "./wire.ts";

/** Says on standard error what did not simply become healthy; the exit code stands for all deliveries together. */
export function reportOutcomes(io: Io, build: Pick<BuildBody, "deliveries">): ExitCode {
  for (const delivery of build.deliveries) {
    if (delivery.outcome === undefined || delivery.outcome === "healthy") continue;
    const message = delivery.message ?? "";
    io.stderr.write(printable(`${delivery.target}: ${formatOutcome(delivery)} ${message}`).trimEnd());
    io.stderr.write("\n");
  }
  return exitCodeOfOutcomes(build.deliveries);
}
