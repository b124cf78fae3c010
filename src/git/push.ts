import type { Ambient } from "../model/ambient.ts";
import { type GitspanError, isGitspanError, messageOf } from "../model/errors.ts";
import type { Oid, PreparedPush, PushResult, RefusalReason } from "../model/git.ts";
import { refOf } from "./branch-name.ts";
import { FLUSH, packet } from "./pkt-line.ts";
import { type PushReport, readPushReport } from "./push-report.ts";
import { resultOfStatus, waitOf } from "./push-status.ts";
import { classifyRejection } from "./rejection.ts";
import type { Remote } from "./remote.ts";
import { type HttpAnswer, newWire } from "./transport.ts";

interface Deps {
  ambient: Ambient;
  remote: Remote;
}

/** A hook may print pages; this much reaches people. */
const MAX_WORDS = 2000;

/**
 * Sends the pack and moves the branch from base to head, if it is still at base: one request, never forced.
 * Whatever the server answers is a result; only the signal's reason is thrown.
 */
export async function pushPrepared(deps: Deps, prepared: PreparedPush, signal: AbortSignal): Promise<PushResult> {
  const { remote } = deps;
  const wire = newWire();
  let answer: HttpAnswer;
  try {
    const ref = refOf(prepared.branch);
    await remote.prepareToPush(signal);
    const command = `${prepared.base} ${prepared.head} ${ref}\0 report-status side-band-64k agent=gitspan`;
    const body = Buffer.concat([packet(command), FLUSH, prepared.pack]);
    answer = await remote.receivePack(body, wire, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (wire.connected) return { kind: "unclear", message: `no answer to the push: ${messageOf(error)}` };
    return beforeSending(error);
  }
  if (answer.status !== 200) return resultOfStatus(answer, deps.ambient.clock.now());
  return resultOfReport(deps, prepared, readPushReport(answer.body, refOf(prepared.branch)), signal);
}

/** The server has seen nothing of this push, so every failure is a definite no. */
function beforeSending(error: unknown): PushResult {
  const message = messageOf(error);
  if (!isGitspanError(error)) return { kind: "unavailable", message };
  if (error.transient) return { kind: "unavailable", message, ...waitOf(error.retryAfterMs) };
  return { kind: "refused", reason: reasonOf(error), message };
}

function reasonOf(error: GitspanError): RefusalReason {
  if (error.code === "git-auth") return "auth";
  return error.code === "git-not-found" ? "not-found" : "other";
}

async function resultOfReport(
  deps: Deps,
  prepared: PreparedPush,
  report: PushReport,
  signal: AbortSignal,
): Promise<PushResult> {
  const words = { status: statusOf(report), remote: report.remote };
  const message = messageFor(words.status, report);
  if (report.ref === undefined) {
    // An error that stands where the report would begin came before the push was looked at, but only known words prove it.
    const known = report.fatal === undefined ? undefined : classifyRejection(words);
    if (known?.kind === "refused" && known.reason !== "other") return { ...known, message };
    return { kind: "unclear", message: message === "" ? "the server did not report what became of the push" : message };
  }
  if (report.ref.ok) return takenAs(deps, prepared, report, signal);
  const rejection = classifyRejection(words);
  if (rejection.kind === "refused" || rejection.kind === "unavailable") return { ...rejection, message };
  const now = placeNamed(report, prepared) ?? (await look(deps, prepared.branch, signal));
  if (now === prepared.head) return { kind: "landed" };
  if (rejection.kind === "race" || (now !== undefined && now !== prepared.base)) return { kind: "lost-race", message };
  // Refused by a word that may mean a race, and the branch stands where it stood; if it could not be read, wait.
  return now === undefined ? { kind: "unavailable", message } : { ...rejection.otherwise, message };
}

/** "ok" means landed, unless a hook of the server says that it did something else with the commits. */
async function takenAs(
  deps: Deps,
  prepared: PreparedPush,
  { instead, remote }: PushReport,
  signal: AbortSignal,
): Promise<PushResult> {
  const landed: PushResult = { kind: "landed", ...(remote === "" ? {} : { message: remote.slice(0, MAX_WORDS) }) };
  const elsewhere = instead?.ref !== undefined && instead.ref !== refOf(prepared.branch);
  const otherwise = instead?.oid !== undefined && instead.oid !== prepared.head;
  if (!elsewhere && !otherwise) return landed;
  const now = await look(deps, prepared.branch, signal);
  if (now === prepared.head) return landed;
  const place = [instead?.ref, instead?.oid].filter((part) => part !== undefined).join(" at ");
  const message = `a hook of the server took the commits to ${place} instead: ${remote}`.slice(0, MAX_WORDS);
  return now === prepared.base ? { kind: "refused", reason: "other", message } : { kind: "unclear", message };
}

function statusOf(report: PushReport): string {
  if (report.ref?.ok === false) {
    const { unpack } = report;
    return unpack === undefined || unpack === "ok" ? report.ref.reason : `${report.ref.reason}: ${unpack}`;
  }
  return report.fatal ?? report.unpack ?? "";
}

/** Where the branch is by the server's own words, when that settles the matter without asking again. */
function placeNamed(report: PushReport, prepared: PreparedPush): Oid | undefined {
  const text = `${statusOf(report)}\n${report.remote}`;
  const oid = /is at ([0-9a-f]{40}) but expected/.exec(text)?.[1];
  return oid === prepared.base ? undefined : oid;
}

async function look(deps: Deps, branch: string, signal: AbortSignal): Promise<Oid | undefined> {
  try {
    return await deps.remote.branchTip(branch, signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** The reason as people read it: the status alone often says no more than "hook declined". */
function messageFor(status: string, report: PushReport): string {
  const words = [status, report.remote].filter((part) => part !== "").join(": ");
  return words.slice(0, MAX_WORDS);
}
