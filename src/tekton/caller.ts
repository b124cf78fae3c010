import { createHash } from "node:crypto";
import { list, record, text, type Untrusted } from "../kubernetes/untrusted.ts";
import type { Clock } from "../model/ambient.ts";
import type { Unverified } from "../model/json-web-token.ts";
import { Refused } from "../model/refusal.ts";
import type { TektonApi } from "./api.ts";
import { childrenOf, ownerOf, uidOf } from "./owner.ts";

/** A service account, and the task it speaks from. */
export interface TaskCaller {
  namespace: string;
  account: string;
  taskRun: string;
  /** The PipelineRun that the task is a part of; absent for a TaskRun of its own. */
  run?: { namespace: string; name: string; uid: string };
}

export interface CallerInput {
  token: string;
  /** What the token says of itself. */
  claims: Unverified;
  audience: string;
  /** Namespaces that count; empty: all. */
  namespaces: readonly string[];
}

/** The API server itself goes on to accept a token for about 10 s after its Pod is gone. */
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 1_000;
/** How far our clock may be ahead of the API server's, which decides: only what ended long ago need not be asked about. */
const SKEW_MS = 60_000;
const ACCOUNT = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/;
const NAME = /^[a-z0-9][a-z0-9.-]{0,252}$/;
const POD_NAME = "authentication.kubernetes.io/pod-name";
const POD_UID = "authentication.kubernetes.io/pod-uid";
const TOKEN_HINT =
  "Send the token of a projected volume (serviceAccountToken) with the audience that tekton.<name>.audience says.";

/** Who has a service account's token, by what the API server says. */
export class TaskCallers {
  readonly #deps: { api: TektonApi; clock: Clock };
  /** By the token's hash: never the token itself. */
  readonly #known = new Map<string, { caller: TaskCaller; until: number }>();

  constructor(deps: { api: TektonApi; clock: Clock }) {
    this.#deps = deps;
  }

  /**
   * Asks the API server about the token, then follows the Pod that it is bound to up to the run. Who is known is remembered
   * for half a minute, never beyond the token's end. Errors: `Refused`, and those of the API server.
   */
  async identify(input: CallerInput, signal: AbortSignal): Promise<TaskCaller> {
    const { claims, audience, token } = input;
    const now = this.#deps.clock.now();
    if (claims.expiresAt + SKEW_MS <= now) throw unauthenticated("expired", "the token has expired");
    if (!claims.audiences.includes(audience)) {
      throw unauthenticated(
        "audience",
        `the token is for the audience ${JSON.stringify(claims.audiences).slice(0, 200)}`,
      );
    }
    const hash = createHash("sha256").update(token).digest("hex");
    const known = this.#known.get(hash);
    if (known !== undefined && known.until > now) return known.caller;
    this.#known.delete(hash);
    const caller = await identify(this.#deps.api, input, signal);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(hash, { caller, until: Math.min(now + REMEMBERED_MS, claims.expiresAt) });
    return caller;
  }
}

async function identify(api: TektonApi, input: CallerInput, signal: AbortSignal): Promise<TaskCaller> {
  const { namespace, account, pod } = accountOf(await api.review(input, signal), input.audience);
  const who = `serviceaccount ${namespace}/${account}`;
  if (input.namespaces.length > 0 && !input.namespaces.includes(namespace)) {
    throw forbidden("namespace", `${who}: runs of this namespace do not count`);
  }
  const found = await api.pod({ namespace, name: pod.name }, signal);
  if (found === undefined || uidOf(found) !== pod.uid) throw forbidden("pod", `${who}: its Pod ${pod.name} is gone`);
  if (text(record(found["spec"])["serviceAccountName"]) !== account) {
    throw forbidden("pod", `${who}: the Pod ${pod.name} has another service account`);
  }
  const owner = ownerOf(found, "TaskRun");
  if (owner === undefined) throw forbidden("not-a-task", `${who}: the Pod ${pod.name} is not of a TaskRun`);
  const taskRun = await api.read({ kind: "TaskRun", namespace, name: owner.name }, signal);
  if (taskRun === undefined || uidOf(taskRun) !== owner.uid) {
    throw forbidden("not-a-task", `${who}: the TaskRun ${owner.name} that the Pod names is not there`);
  }
  // Whoever makes a Pod may name any owner; only Tekton's controller writes down which Pod a TaskRun has.
  const podOfTask = text(record(taskRun["status"])["podName"]);
  if (podOfTask === "") throw notReady(`${who}: the TaskRun ${owner.name} has no Pod yet`);
  if (podOfTask !== pod.name) throw forbidden("not-a-task", `${who}: the Pod of ${owner.name} is ${podOfTask}`);
  const run = await runOf(api, { namespace, taskRun, name: owner.name, who }, signal);
  return { namespace, account, taskRun: owner.name, ...(run === undefined ? {} : { run }) };
}

async function runOf(
  api: TektonApi,
  input: { namespace: string; taskRun: Untrusted; name: string; who: string },
  signal: AbortSignal,
): Promise<TaskCaller["run"]> {
  const { namespace, taskRun, name, who } = input;
  const owner = ownerOf(taskRun, "PipelineRun");
  if (owner === undefined) return undefined;
  const run = await api.read({ kind: "PipelineRun", namespace, name: owner.name }, signal);
  if (run === undefined || uidOf(run) !== owner.uid) {
    throw forbidden("not-of-the-run", `${who}: the PipelineRun ${owner.name} that ${name} names is not there`);
  }
  if (!childrenOf(run).some((child) => child.name === name)) {
    throw notReady(`${who}: the PipelineRun ${owner.name} does not list the TaskRun ${name}`);
  }
  return { namespace, ...owner };
}

interface Account {
  namespace: string;
  account: string;
  pod: { name: string; uid: string };
}

/** The `status` of a TokenReview. A wrong audience gives an `error` and no `authenticated`. */
function accountOf(status: Untrusted, audience: string): Account {
  if (status["authenticated"] !== true) throw unauthenticated("not-authenticated", text(status["error"], 300));
  if (!list(status["audiences"]).includes(audience)) throw unauthenticated("audience", "reviewed for another audience");
  const user = record(status["user"]);
  const [, namespace, account] = ACCOUNT.exec(text(user["username"])) ?? [];
  if (namespace === undefined || account === undefined) {
    throw unauthenticated("not-a-service-account", `the token is of ${text(user["username"], 100)}`);
  }
  const extra = record(user["extra"]);
  const [name, uid] = [POD_NAME, POD_UID].map((key) => text(list(extra[key])[0]));
  if (!name || !uid || !NAME.test(name)) {
    // `kubectl create token` makes such a token for whoever may, and it says nothing of where it is used.
    throw unauthenticated("not-bound-to-a-pod", `serviceaccount ${namespace}/${account}: the token is of no Pod`);
  }
  return { namespace, account, pod: { name, uid } };
}

function unauthenticated(reason: Refused["reason"], detail: string): Refused {
  return new Refused("unauthenticated", { reason, message: "the token is not valid here", detail, hint: TOKEN_HINT });
}

function forbidden(reason: Refused["reason"], detail: string): Refused {
  const message = "the token is not of a task of a Tekton run that counts here";
  return new Refused("forbidden", { reason, message, detail });
}

function notReady(detail: string): Refused {
  return new Refused("run-not-ready", {
    reason: "not-of-the-run",
    message: "the run does not list this task yet",
    detail,
    hint: "Send it again in a few seconds.",
  });
}
