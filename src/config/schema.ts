import { z } from "zod";
import { ACTIONS } from "../model/access.ts";
import { isRepository } from "../model/image.ts";
import {
  isBranchName,
  isKubernetesName,
  isShortSsh,
  parseDirectory,
  parseDuration,
  parseListenAddress,
  urlProblem,
} from "./values.ts";

/** What a configuration file may hold. It only checks: what the values mean is for `resolve.ts`. */

function checked(problem: (text: string) => { message: string; hint?: string } | undefined, typeError?: string) {
  return z.string(typeError).check((context) => {
    const found = problem(context.value);
    if (found === undefined) return;
    const { message, hint } = found;
    context.issues.push({ code: "custom", message, params: { hint }, input: context.value });
  });
}

function exactlyOne<T extends z.ZodObject>(object: T, keys: readonly string[]): T {
  return object.refine(
    (value) => keys.filter((key) => Object.hasOwn(value, key)).length === 1,
    // Runs whatever else is wrong in the object, so that everything is said at once.
    {
      error: `needs exactly one of ${keys.join(", ")}`,
      when: ({ value }) => typeof value === "object" && value !== null,
    },
  );
}

const path = z.string().min(1, "must not be empty");
const environmentVariable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable");
const name = z.string().regex(/^[a-z0-9-]{1,63}$/, "names consist of a-z, 0-9 and -, at most 63 of them");
const kubernetesName = z.string().refine(isKubernetesName, "must be a name as Kubernetes allows it");

const MAX_DURATION_MS = 365 * 86_400_000;

const DURATION_FORM = "must be a duration like 500ms, 30s, 10m, 12h or 7d";

function duration(options: { zero: boolean }) {
  return checked((text) => {
    const ms = parseDuration(text);
    if (ms === undefined) return { message: DURATION_FORM };
    if (ms > MAX_DURATION_MS) return { message: "must be at most 365d" };
    return ms === 0 && !options.zero ? { message: "must be longer than 0" } : undefined;
  }, DURATION_FORM);
}

const url = checked((text) => {
  if (isShortSsh(text)) return { message: "ssh addresses are not supported yet", hint: "use the https address" };
  const message = urlProblem(text);
  const hint = message?.includes("user name") === true ? "name the token in tokenFile or tokenEnv" : undefined;
  return message === undefined ? undefined : { message, hint };
});

const sourceUrl = checked((text) => {
  if (isShortSsh(text) || /^ssh:\/\/[^/]/.test(text)) return undefined;
  const message = urlProblem(text);
  return message === undefined ? undefined : { message };
});

const image = checked((text) => {
  if (isRepository(text)) return undefined;
  return {
    message: "must be an image repository, without tag or digest",
    hint: "as in registry.example.com/shop/checkout",
  };
});

const directory = checked((text) => {
  if (parseDirectory(text) === undefined) return { message: "must be a folder inside the repository, without .." };
  const file = /(?:^|\/)(kustomization\.ya?ml|Kustomization)$/.exec(text)?.[1];
  return file === undefined ? undefined : { message: `must be the folder, without ${file}` };
});

const branch = z.string().refine(isBranchName, "must be the name of a branch, without refs/heads/");
const pattern = z
  .string()
  .min(1, "must not be empty")
  .refine((text) => !text.startsWith("refs/"), "must be without refs/heads/ or refs/tags/");
const listen = z.string().refine((text) => parseListenAddress(text) !== undefined, "must be host:port");

const token = { tokenFile: path.optional(), tokenEnv: environmentVariable.optional() };

const database = exactlyOne(
  z.strictObject({ embedded: path.optional(), urlEnv: environmentVariable.optional(), urlFile: path.optional() }),
  ["embedded", "urlEnv", "urlFile"],
);

const repository = z.strictObject({
  url,
  branch: branch.optional(),
  auth: exactlyOne(z.strictObject({ ...token, username: z.string().min(1, "must not be empty").optional() }), [
    "tokenFile",
    "tokenEnv",
  ]).optional(),
  caFile: path.optional(),
  author: z
    .strictObject({
      name: z.string().regex(/^[^<>\p{Cc}]+$/u, "must be a name without < and >"),
      email: z.string().regex(/^[^<>\s\p{Cc}]+$/u, "must be an e-mail address"),
    })
    .optional(),
});

const argocd = z.strictObject({
  kubernetes: z
    .union([z.literal("in-cluster"), z.strictObject({ kubeconfigFile: path, context: path.optional() })])
    .optional(),
  server: url.optional(),
  ...token,
  caFile: path.optional(),
  namespaces: z.array(kubernetesName).min(1, "must name at least one namespace").optional(),
  refreshByAnnotation: z.boolean().optional(),
});

const environment = z
  .strictObject({
    settle: duration({ zero: true }).optional(),
    degradedAfter: duration({ zero: true }).optional(),
    timeout: duration({ zero: false }).optional(),
    expireAfter: duration({ zero: false }).optional(),
  })
  .nullable();

const application = checked((text) => {
  const parts = text.split("/");
  if (parts.length === 3 && parts.every((part) => isKubernetesName(part))) return undefined;
  return { message: "must be cluster/namespace/name", hint: "as in main/argocd/checkout-prod" };
});

const target = z.strictObject({
  kustomize: directory,
  repository: name.optional(),
  branch: branch.optional(),
  applications: z.array(application).min(1, "must name at least one Application, or be left out").optional(),
  expireAfter: duration({ zero: false }).optional(),
});

const app = z.strictObject({
  from: z
    .strictObject({ repository: sourceUrl, branches: z.array(pattern).optional(), tags: z.array(pattern).optional() })
    .optional(),
  images: z.record(name, image).refine((images) => Object.keys(images).length > 0, "must name at least one image"),
  targets: z.record(name, target),
});

const access = z.strictObject({
  subject: checked((text) => {
    if (/^(?:token:[^\s:/]+|group:\S+)$/.test(text)) return undefined;
    const account = /^serviceaccount:([^/]+)\/([^/]+)$/.exec(text);
    if (account?.slice(1).every(isKubernetesName) === true) return undefined;
    return { message: "must be token:NAME, serviceaccount:NAMESPACE/NAME or group:NAME" };
  }),
  actions: z.array(z.enum(ACTIONS)).min(1, "must name at least one action"),
  apps: z.array(z.string()).min(1, "must name at least one app, or *"),
  environments: z.array(z.string()).min(1, "must name at least one environment, or *"),
});

export const configurationSchema = z.strictObject({
  apiVersion: z.literal("gitspan.dev/v1alpha1"),
  kind: z.literal("Bridge"),
  listen: listen.optional(),
  metricsListen: listen.optional(),
  database,
  repositories: z
    .record(name, repository)
    .refine((repositories) => Object.keys(repositories).length > 0, "must name at least one repository"),
  argocd: z.record(name, argocd).optional(),
  environments: z.record(name, environment).optional(),
  apps: z.record(name, app).optional(),
  access: z.array(access).optional(),
});

/** A file that the schema accepts. */
export type RawConfiguration = z.infer<typeof configurationSchema>;

/** The keys that the schema knows at a path of a file, for suggestions. */
export function knownKeys(path: readonly PropertyKey[], from: unknown = configurationSchema): string[] {
  const schema = unwrapped(from);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => knownKeys(path, option));
  const [key, ...rest] = path;
  if (key === undefined) return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  if (schema instanceof z.ZodObject) return knownKeys(rest, schema.shape[String(key)]);
  if (schema instanceof z.ZodRecord) return knownKeys(rest, schema.valueType);
  return schema instanceof z.ZodArray ? knownKeys(rest, schema.element) : [];
}

function unwrapped(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable ? unwrapped(schema.unwrap()) : schema;
}
