import { z } from "zod";
import { ACTIONS } from "../model/access.ts";
import { isRepository } from "../model/image.ts";
import { DIGEST_POLICIES } from "../model/target.ts";
import {
  checked,
  duration,
  environmentVariable,
  exactlyOne,
  kubernetes,
  kubernetesName,
  NAME_FORM,
  name,
  path,
} from "./schema-forms.ts";
import { oidc } from "./schema-oidc.ts";
import { directory, file, place } from "./schema-places.ts";
import { repositoryAccess, source, webUrl } from "./schema-repository.ts";
import { tekton } from "./schema-tekton.ts";
import { environmentTrust, registry, registryHost, trust } from "./schema-trust.ts";
import {
  isAddressRange,
  isBranchName,
  isKubernetesName,
  isShortSsh,
  parseListenAddress,
  urlProblem,
} from "./values.ts";

/** What a configuration file may hold. It only checks: what the values mean is for `resolve.ts`. */

const appKey = z.string().regex(/^(?:[a-z0-9-]{1,63}|\{name\})$/, `${NAME_FORM}; or {name} for every other app`);
const environmentKey = z.string().regex(/^(?:[a-z0-9-]{1,63}|\{env\})$/, `${NAME_FORM}; or {env} for each environment`);

/** What a text with placeholders may become. */
function sample(text: string): string {
  return text.replaceAll(/\{(?:name|env)\}/g, "x");
}

const sourceUrl = checked((text) => {
  if (isShortSsh(text) || /^ssh:\/\/[^/]/.test(text)) return undefined;
  const message = urlProblem(text);
  return message === undefined ? undefined : { message };
});

const image = checked((text) => {
  if (isRepository(sample(text))) return undefined;
  return {
    message: "must be an image repository, without tag or digest",
    hint: "as in registry.example.com/shop/checkout",
  };
});

const imagePrefix = z
  .string()
  .regex(
    /^[a-z0-9.-]+(?::[0-9]{1,5})?(?:\/[a-z0-9._-]+)*$/,
    "must be a registry or the beginning of an image's name, without tag",
  );

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
  ...repositoryAccess,
  branch: branch.optional(),
  signing: z.strictObject({ sshKeyFile: path }).optional(),
  author: z
    .strictObject({
      name: z.string().regex(/^[^<>\p{Cc}]+$/u, "must be a name without < and >"),
      email: z.string().regex(/^[^<>\s\p{Cc}]+$/u, "must be an e-mail address"),
    })
    .optional(),
});

const argocd = z.strictObject({
  kubernetes: kubernetes.optional(),
  server: webUrl.optional(),
  ...token,
  caFile: path.optional(),
  namespaces: z.array(kubernetesName).min(1, "must name at least one namespace").optional(),
  refreshByAnnotation: z.boolean().optional(),
  imageAliases: z.record(imagePrefix, imagePrefix).optional(),
});

const environment = z
  .strictObject({
    settle: duration({ zero: true }).optional(),
    degradedAfter: duration({ zero: true }).optional(),
    timeout: duration({ zero: false }).optional(),
    expireAfter: duration({ zero: false }).optional(),
    rollback: z.enum(["manual", "automatic"]).optional(),
    onManualRevert: z.enum(["pin", "hold-digest"]).optional(),
    trust: environmentTrust.optional(),
  })
  .nullable();

const application = checked((text) => {
  const parts = text.split("/");
  if (parts.length === 3 && parts.every((part) => isKubernetesName(sample(part)))) return undefined;
  return { message: "must be cluster/namespace/name", hint: "as in main/argocd/checkout-prod" };
});

const target = exactlyOne(
  z.strictObject({
    kustomize: directory.optional(),
    helm: file.optional(),
    files: z.array(place).min(1, "must name at least one file").optional(),
    repository: name.optional(),
    branch: branch.optional(),
    applications: z.array(application).min(1, "must name at least one Application, or be left out").optional(),
    digestPolicy: z.enum(DIGEST_POLICIES).optional(),
    success: z.strictObject({ atLeast: z.int().min(1, "must be 1 or more") }).optional(),
    expireAfter: duration({ zero: false }).optional(),
  }),
  ["kustomize", "helm", "files"],
);

const from = z.strictObject({
  repository: sourceUrl,
  branches: z.array(pattern).optional(),
  tags: z.array(pattern).optional(),
});

const app = z.strictObject({
  from: from.optional(),
  buildTask: kubernetesName.optional(),
  images: z.record(name, image).refine((images) => Object.keys(images).length > 0, "must name at least one image"),
  targets: z.record(environmentKey, target),
});

const signature = exactlyOne(
  z.strictObject({
    secretFiles: z
      .array(path)
      .min(1, "must name at least one file")
      .max(2, "two at most: the old one and the new one")
      .optional(),
    secretEnvs: z
      .array(environmentVariable)
      .min(1, "must name at least one variable")
      .max(2, "two at most: the old one and the new one")
      .optional(),
  }),
  ["secretFiles", "secretEnvs"],
);

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message).optional();
}

const limits = z.strictObject({
  buildsPerMinute: wholeNumber(1, 100_000),
  buildBytes: wholeNumber(1_024, 16 * 1_024 * 1_024),
  failedLoginsPerMinute: wholeNumber(1, 100_000),
  eventsPerMinute: wholeNumber(1, 1_000_000),
  streams: wholeNumber(0, 10_000),
});

const proxy = z.string().refine(isAddressRange, "must be an address or a range, as 10.0.0.0/8");

const access = z.strictObject({
  subject: checked((text) => {
    if (/^(?:token:[^\s:/]+|group:\S+|signature:[a-z0-9-]{1,63})$/.test(text)) return undefined;
    if (/^oidc:[a-z0-9-]{1,63}:[\x21-\x7e]{1,500}$/.test(text)) return undefined;
    const account = /^serviceaccount:(?:([a-z0-9-]{1,63})\/)?([^/]+)\/([^/]+)$/.exec(text);
    if (account?.slice(2).every(isKubernetesName) === true) return undefined;
    const tektonNamespace = /^tekton:[a-z0-9-]{1,63}\/([^/]+)$/.exec(text)?.[1];
    if (tektonNamespace !== undefined && isKubernetesName(tektonNamespace)) return undefined;
    return {
      message:
        "must be token:NAME, signature:NAME, tekton:CLUSTER/NAMESPACE, serviceaccount:NAMESPACE/NAME, oidc:NAME:SUBJECT or group:NAME",
    };
  }),
  actions: z.array(z.enum(ACTIONS)).min(1, "must name at least one action"),
  apps: z.array(z.string()).min(1, "must name at least one app, or *"),
  environments: z.array(z.string()).min(1, "must name at least one environment, or *"),
});

const filePattern = z
  .string()
  .min(1, "must not be empty")
  .refine(
    (text) => !/^\/|(?:^|\/)\.\.(?:\/|$)/.test(text),
    "must be paths of files from the repository's root, without ..",
  );

const annotated = z.strictObject({
  projects: z.array(z.string().min(1, "must not be empty")).min(1, "must name at least one AppProject"),
  environments: z.array(name).min(1, "must name at least one environment"),
  repositories: z.array(name).min(1, "must name at least one repository, or be left out").optional(),
  paths: z.array(filePattern).min(1, "must name at least one path"),
  from,
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
  sources: z.record(name, source).optional(),
  tekton: z.record(name, tekton).optional(),
  registries: z.record(registryHost, registry).optional(),
  trust: trust.optional(),
  oidc: z.record(name, oidc).optional(),
  environments: z.record(name, environment).optional(),
  apps: z.record(appKey, app).optional(),
  annotated: z.array(annotated).optional(),
  signatures: z.record(name, signature).optional(),
  access: z.array(access).optional(),
  limits: limits.optional(),
  trustedProxies: z.array(proxy).min(1, "must name at least one address, or be left out").optional(),
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
