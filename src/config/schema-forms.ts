import { z } from "zod";
import { isKubernetesName, parseDuration } from "./values.ts";

/** Forms that many parts of the schema share. */

export function checked(problem: (text: string) => { message: string; hint?: string } | undefined, typeError?: string) {
  return z.string(typeError).check((context) => {
    const found = problem(context.value);
    if (found === undefined) return;
    const { message, hint } = found;
    context.issues.push({ code: "custom", message, params: { hint }, input: context.value });
  });
}

export function exactlyOne<T extends z.ZodObject>(object: T, keys: readonly string[]): T {
  return object.refine(
    (value) => keys.filter((key) => Object.hasOwn(value, key)).length === 1,
    // Runs whatever else is wrong in the object, so that everything is said at once.
    {
      error: `needs exactly one of ${keys.join(", ")}`,
      when: ({ value }) => typeof value === "object" && value !== null,
    },
  );
}

export const path = z.string().min(1, "must not be empty");
export const environmentVariable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable");
export const NAME_FORM = "names consist of a-z, 0-9 and -, at most 63 of them";
export const name = z.string().regex(/^[a-z0-9-]{1,63}$/, NAME_FORM);
export const kubernetesName = z.string().refine(isKubernetesName, "must be a name as Kubernetes allows it");

const MAX_DURATION_MS = 365 * 86_400_000;

const DURATION_FORM = "must be a duration like 500ms, 30s, 10m, 12h or 7d";

export function duration(options: { zero: boolean }) {
  return checked((text) => {
    const ms = parseDuration(text);
    if (ms === undefined) return { message: DURATION_FORM };
    if (ms > MAX_DURATION_MS) return { message: "must be at most 365d" };
    return ms === 0 && !options.zero ? { message: "must be longer than 0" } : undefined;
  }, DURATION_FORM);
}

export const kubernetes = z.union([
  z.literal("in-cluster"),
  z.strictObject({ kubeconfigFile: path, context: path.optional() }),
]);
