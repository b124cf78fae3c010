import { Command, CommanderError } from "commander";
import type { Context } from "./action.ts";
import { addBuilds } from "./commands/builds.ts";
import { addDeliver } from "./commands/deliver.ts";
import { addDeliveries } from "./commands/deliveries.ts";
import { addEdit } from "./commands/edit.ts";
import { addExplain } from "./commands/explain.ts";
import { addHolds } from "./commands/holds.ts";
import { addInit } from "./commands/init.ts";
import { addPlan } from "./commands/plan.ts";
import { addRollback } from "./commands/rollback.ts";
import { addSchema } from "./commands/schema.ts";
import { addSend } from "./commands/send.ts";
import { addServe } from "./commands/serve.ts";
import { addTargets } from "./commands/targets.ts";
import { addToken } from "./commands/token.ts";
import { addValidate } from "./commands/validate.ts";
import { addVerify } from "./commands/verify.ts";
import { addVersion } from "./commands/version.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { showError } from "./failure.ts";
import type { Io } from "./io.ts";

/** Runs one command line (without the program's name) and resolves with the exit code; throws nothing. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const context: Context = { io, exitCode: EXIT.ok };
  try {
    await buildProgram(context).parseAsync([...args], { from: "user" });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (io.signal.aborted) return EXIT.interrupted;
    return showError(io, error);
  }
}

function buildProgram(context: Context): Command {
  const { io } = context;
  const program = new Command("gitspan")
    .description("The bridge between CI and Argo CD")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError("(see --help)")
    .addHelpText(
      "after",
      `
Exit codes: 0 ok, 1 failed or overridden, 2 usage, 3 configuration, 4 refused by policy or trust,
5 timed out, 6 unreachable, 130 interrupted.`,
    );
  addServe(program, context);
  addInit(program, context);
  addValidate(program, context);
  addSchema(program, context);
  addPlan(program, context);
  addSend(program, context);
  addDeliver(program, context);
  addBuilds(program, context);
  addDeliveries(program, context);
  addTargets(program, context);
  addRollback(program, context);
  addHolds(program, context);
  addEdit(program, context);
  addExplain(program, context);
  addVerify(program, context);
  addToken(program, context);
  addVersion(program, context);
  return program;
}
