import { isRecord, record, text, type Untrusted } from "../kubernetes/untrusted.ts";
import { GitspanError } from "../model/errors.ts";

export type RunKind = "PipelineRun" | "TaskRun" | "CustomRun";

/** What the event says of the run; `Started` counts as running. Cancelled and timed-out runs come as failed. */
export type EventState = "queued" | "running" | "unknown" | "successful" | "failed";

/** A Tekton event in a CloudEvents 1.0 envelope. It proves nothing: anybody can send one. */
export interface TektonEvent {
  type: string;
  state: EventState;
  kind: RunKind;
  namespace: string;
  name: string;
  /** "" when the event does not tell. */
  uid: string;
  /** The run as the sender has it, in the shape of v1 or v1beta1. */
  object: Untrusted;
}

/** Headers by lower-case name, as Node gives them. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

const TYPE =
  /^dev\.tekton\.event\.(?<kind>pipelinerun|taskrun|customrun)\.(?<state>queued|started|running|unknown|successful|failed)\.v1$/;
const KINDS = {
  pipelinerun: { kind: "PipelineRun", key: "pipelineRun" },
  taskrun: { kind: "TaskRun", key: "taskRun" },
  customrun: { kind: "CustomRun", key: "customRun" },
} as const satisfies Record<string, { kind: RunKind; key: string }>;
// Up to Tekton 1.15 the group and version are empty: `/apis///namespaces/demo//name`.
const SOURCE_NAMESPACE = /\/namespaces\/([^/]+)\//;
const MAX_HEADER = 1_024;

/** RFC 1123: names of runs are subdomains, of namespaces labels. What passes is safe in a URL's path. */
const NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const UID = /^[\w.:-]{1,128}$/;

/**
 * Takes a binary-mode CloudEvent apart (CloudEvents HTTP protocol binding, section 3.1). `undefined` for a sound event of a
 * type that Tekton does not send today. Throws `bad-request` for what is no CloudEvent, or not the run that its type says.
 */
export function parseCloudEvent(input: { headers: Headers; body: unknown }): TektonEvent | undefined {
  const header = (name: string): string => {
    const value = input.headers[name];
    if (typeof value !== "string" || value === "" || value.length > MAX_HEADER) {
      throw bad(
        `the header ${name} is missing or not usable`,
        "Send CloudEvents in binary mode: Ce-* headers, JSON body.",
      );
    }
    return value;
  };
  const version = header("ce-specversion");
  if (version !== "1.0") throw bad(`CloudEvents ${quoted(version)} is not supported, only 1.0`);
  header("ce-id");
  const source = header("ce-source");
  const type = header("ce-type");
  if (!isRecord(input.body)) throw bad("the body is not a JSON object");

  const { kind: word, state } = TYPE.exec(type)?.groups ?? {};
  if (!isKindWord(word) || state === undefined) return undefined;
  const { kind, key } = KINDS[word];
  const object = input.body[key];
  if (!isRecord(object)) throw bad(`the body of ${type} has no object "${key}"`);

  const metadata = record(object["metadata"]);
  const subject = input.headers["ce-subject"];
  const name = text(metadata["name"]) || text(subject);
  const namespace = text(metadata["namespace"]) || (SOURCE_NAMESPACE.exec(source)?.[1] ?? "");
  const uid = text(metadata["uid"]);
  if (name.length > 253 || !NAME.test(name)) throw bad(`${quoted(name)} is not the name of a run`);
  if (!NAMESPACE.test(namespace)) throw bad(`${quoted(namespace)} is not a namespace`);
  if (uid !== "" && !UID.test(uid)) throw bad("metadata.uid is not a uid");
  return { type, state: stateOf(state), kind, namespace, name, uid, object };
}

function isKindWord(word: string | undefined): word is keyof typeof KINDS {
  return word !== undefined && Object.hasOwn(KINDS, word);
}

function stateOf(word: string): EventState {
  switch (word) {
    case "queued":
    case "running":
    case "successful":
    case "failed":
      return word;
    case "started":
      return "running";
    default:
      return "unknown";
  }
}

/** As JSON, so that whatever stands in it cannot break a log line. */
function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 80));
}

function bad(message: string, hint?: string): GitspanError {
  return new GitspanError("bad-request", message, { hint });
}
