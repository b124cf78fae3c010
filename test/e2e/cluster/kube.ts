/**
 * The Kubernetes API as the tests use it: plain requests with the kubeconfig's credentials. kubectl costs a second a call on a busy
 * machine, and the client library's typed objects lose fields of custom resources (`x-kubernetes-...` of a definition).
 */
import { readdirSync, readFileSync } from "node:fs";
import { Agent, type RequestOptions } from "node:https";
import path from "node:path";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import axios from "axios";
import { parseAllDocuments } from "yaml";

export type Manifest = KubernetesObject & Record<string, unknown>;
export interface Reference {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

const FIELD_MANAGER = "gitspan-e2e";
/** Others need these to exist. */
const FIRST = new Set(["Namespace", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "Role"]);

export class KubeError extends Error {
  readonly status: number;

  constructor(what: string, status: number, answer: unknown) {
    super(`${what}: ${status} ${JSON.stringify(at(answer, "message") ?? answer)}`);
    this.status = status;
  }
}

interface Resource {
  path: string;
  namespaced: boolean;
}

/** `namespace` is where objects without one go. Rejects with a KubeError for what the server refuses. */
export class Kube {
  readonly #config = new KubeConfig();
  readonly #server: string;
  readonly #namespace: string;
  readonly #resources = new Map<string, Resource>();

  constructor(kubeconfig: string, namespace = "default") {
    this.#config.loadFromFile(kubeconfig);
    this.#server = this.#config.getCurrentCluster()?.server ?? "";
    this.#namespace = namespace;
  }

  /** Server-side apply; namespaces, definitions and accounts before what needs them. */
  async apply(...manifests: readonly Manifest[]): Promise<void> {
    const first = manifests.filter(({ kind }) => FIRST.has(kind ?? ""));
    for (const manifest of [...first, ...manifests.filter((one) => !first.includes(one))]) {
      const query = `?fieldManager=${FIELD_MANAGER}&force=true`;
      await this.#request("PATCH", (await this.#pathOf(manifest)) + query, manifest, "application/apply-patch+yaml");
    }
  }

  /** Whether the server would take it, unknown fields included, as new or in place of what is there; rejects with its reasons. */
  async validate(manifest: Manifest): Promise<void> {
    const query = "?dryRun=All&fieldValidation=Strict";
    try {
      await this.#request("POST", (await this.#collection(manifest)) + query, manifest);
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 409) throw error;
      const path = `${await this.#pathOf(manifest)}${query}&fieldManager=${FIELD_MANAGER}&force=true`;
      await this.#request("PATCH", path, manifest, "application/apply-patch+yaml");
    }
  }

  async create(manifest: Manifest): Promise<Manifest> {
    return asManifest(await this.#request("POST", await this.#collection(manifest), manifest));
  }

  async read(reference: Reference): Promise<Manifest> {
    return asManifest(await this.#request("GET", await this.#pathOf(reference)));
  }

  /** Undefined when there is no such object. */
  async find(reference: Reference): Promise<Manifest | undefined> {
    return await absent(this.read(reference));
  }

  async list(apiVersion: string, kind: string, labels = ""): Promise<Manifest[]> {
    const where = await this.#collection({ apiVersion, kind });
    const list = await this.#request("GET", `${where}?labelSelector=${encodeURIComponent(labels)}`);
    const items = at(list, "items");
    return Array.isArray(items) ? items.map(asManifest) : [];
  }

  /** JSON merge patch: null takes away. */
  async merge(patch: Manifest | Reference): Promise<void> {
    await this.#request("PATCH", await this.#pathOf(patch), patch, "application/merge-patch+json");
  }

  async remove(reference: Reference): Promise<void> {
    await absent(this.#request("DELETE", await this.#pathOf(reference)));
  }

  /** A token of a service account for as long as a test cluster lives, or as the Pod that it is bound to. */
  async token(serviceAccount: string, audiences: readonly string[] = [], pod?: Manifest): Promise<string> {
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: serviceAccount } };
    const { name, uid } = pod?.metadata ?? {};
    const bound = pod === undefined ? {} : { boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } };
    const spec = { audiences, expirationSeconds: 240 * 3600, ...bound };
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
    const answer = await this.#request("POST", `${await this.#pathOf(account)}/token`, request);
    return String(at(answer, "status", "token"));
  }

  async #pathOf(object: Manifest | Reference): Promise<string> {
    return `${await this.#collection(object)}/${object.metadata?.name ?? ""}`;
  }

  async #collection({ apiVersion = "", kind = "", metadata }: Manifest | Reference): Promise<string> {
    const { path, namespaced } = await this.#resource(apiVersion, kind);
    const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    return namespaced ? `${base}/namespaces/${metadata?.namespace ?? this.#namespace}/${path}` : `${base}/${path}`;
  }

  async #resource(apiVersion: string, kind: string): Promise<Resource> {
    const known = this.#resources.get(`${apiVersion} ${kind}`);
    if (known !== undefined) return known;
    const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resources = at(await this.#request("GET", base), "resources");
    const found = (Array.isArray(resources) ? resources : []).find(
      (one) => at(one, "kind") === kind && !String(at(one, "name")).includes("/"),
    );
    if (found === undefined) throw new Error(`The API server has no ${kind} in ${apiVersion}.`);
    const resource = { path: String(at(found, "name")), namespaced: at(found, "namespaced") === true };
    this.#resources.set(`${apiVersion} ${kind}`, resource);
    return resource;
  }

  async #request(method: string, path: string, body?: object, type = "application/json"): Promise<unknown> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { data, status } = await axios.request<unknown>({
      method,
      url: this.#server + path,
      data: body === undefined ? undefined : JSON.stringify(body),
      headers: { "content-type": type, ...headersOf(options) },
      httpsAgent: options.agent instanceof Agent ? options.agent : undefined,
      timeout: 30_000,
      proxy: false,
      validateStatus: () => true,
    });
    if (status >= 400) throw new KubeError(`${method} ${path}`, status, data);
    return data;
  }
}

function headersOf({ headers }: RequestOptions): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}

async function absent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw error;
  }
}

function asManifest(value: unknown): Manifest {
  if (typeof value !== "object" || value === null) throw new Error(`not an object: ${String(value)}`);
  return { ...value };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The objects of YAML files; a folder stands for its YAML files, sorted, folders below it included. */
export function manifestsOf(...files: readonly string[]): Manifest[] {
  return files.flatMap(yamlFiles).flatMap((file) => parseManifests(readFileSync(file, "utf8")));
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter(isManifest);
}

function isManifest(value: unknown): value is Manifest {
  return typeof value === "object" && value !== null && "kind" in value;
}

function yamlFiles(file: string): string[] {
  if (/\.ya?ml$/.test(file)) return [file];
  const entries = readdirSync(file, { recursive: true, encoding: "utf8" });
  return entries
    .filter((entry) => /\.ya?ml$/.test(entry))
    .toSorted()
    .map((entry) => path.join(file, entry));
}

/** What stands at a path of an object; undefined where it ends before. */
export function at(object: unknown, ...keys: readonly (string | number)[]): unknown {
  let value: unknown = object;
  for (const key of keys) value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return value;
}
