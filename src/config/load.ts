import type { Configuration } from "./configuration.ts";
import { crossChecks } from "./cross-checks.ts";
import { readDocument } from "./document.ts";
import { expandApps } from "./expand.ts";
import { problemsOf } from "./issues.ts";
import { ConfigurationError, inFileOrder } from "./problems.ts";
import { resolveConfiguration } from "./resolve.ts";
import { configurationSchema } from "./schema.ts";

/**
 * Checks and resolves the text of a configuration file. `file` names it in messages, and paths inside are relative to
 * its folder; nothing is read. Throws ConfigurationError (`config-invalid`) with everything that is wrong.
 */
export function loadConfiguration(text: string, file: string): Configuration {
  const document = readDocument(text, file);
  if (document.problems.length > 0) throw new ConfigurationError(inFileOrder(document.problems));
  const parsed = configurationSchema.safeParse(document.value, { reportInput: true });
  if (!parsed.success) throw new ConfigurationError(inFileOrder(problemsOf(document, parsed.error.issues)));
  const problems = crossChecks(document, parsed.data);
  if (problems.length > 0) throw new ConfigurationError(inFileOrder(problems));
  return resolveConfiguration(expandApps(parsed.data), file);
}
