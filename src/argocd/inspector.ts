import { withTimeLimit } from "../kubernetes/time-limit.ts";
import { list, record, text } from "../kubernetes/untrusted.ts";
import type { ApplicationRef, ApplicationSnapshot, Inspection, InspectionKind } from "../model/application.ts";
import { messageOf } from "../model/errors.ts";
import type { ArgoCdDeps } from "./deps.ts";
import { inspectionOfTree } from "./inspection.ts";
import type { KubernetesAccess } from "./kubernetes-access.ts";
import type { ArgoCdRest } from "./rest.ts";
import { ARGOCD } from "./trouble.ts";

export interface InspectInput {
  ref: ApplicationRef;
  kind: InspectionKind;
  snapshot: ApplicationSnapshot | undefined;
}
export type Inspector = (input: InspectInput, signal: AbortSignal) => Promise<Inspection>;

const ANSWER_MS = 5_000;

/**
 * Reads what an Application itself does not tell: Pods and sync windows by REST (`applications, get` is enough), the step
 * of a progressive sync from its ApplicationSet. What cannot be read is left out: it proves nothing, either way.
 */
export function inspectorOf(
  deps: ArgoCdDeps,
  by: { rest: ArgoCdRest | undefined; kubernetes: KubernetesAccess | undefined },
): Inspector {
  return async (input, signal) => {
    const { ref, kind, snapshot } = input;
    const attempt = async <T>(what: string, read: (limited: AbortSignal) => Promise<T>): Promise<T | undefined> => {
      try {
        const limit = { ms: ANSWER_MS, message: "Argo CD did not answer in time", signal, trouble: ARGOCD };
        return await withTimeLimit(deps.ambient.clock, limit, read);
      } catch (error) {
        signal.throwIfAborted();
        deps.log.debug("an Application could not be inspected", { what, application: ref, error: messageOf(error) });
        return undefined;
      }
    };
    const { rest, kubernetes } = by;
    if (kind === "workloads") {
      const tree = rest && (await attempt("resource tree", (limited) => rest.tree(ref, snapshot?.project, limited)));
      return { kind, ...(tree === undefined ? {} : inspectionOfTree(tree)) };
    }
    const canSync = rest && (await attempt("sync windows", (limited) => rest.canSync(ref, snapshot?.project, limited)));
    const owner = snapshot?.applicationSet;
    const set =
      owner === undefined
        ? undefined
        : await attempt("ApplicationSet", async (limited) =>
            kubernetes === undefined
              ? rest?.applicationSet(ref.namespace, owner, limited)
              : kubernetes.json({ path: applicationSetPath(ref.namespace, owner), signal: limited }),
          );
    return {
      kind,
      ...(canSync === undefined ? {} : { canSync }),
      ...(set === undefined ? {} : { rollingSync: stepOf(set, ref.name) }),
    };
  };
}

function applicationSetPath(namespace: string, name: string): string {
  const parts = [namespace, "applicationsets", name].map((part) => encodeURIComponent(part));
  return `/apis/argoproj.io/v1alpha1/namespaces/${parts.join("/")}`;
}

/** `Waiting: ...`, or "" where the ApplicationSet has no progressive sync. */
function stepOf(set: unknown, application: string): string {
  const { spec, status } = record(set);
  if (record(record(spec)["strategy"])["type"] !== "RollingSync") return "";
  const steps = list(record(status)["applicationStatus"]).map((step) => record(step));
  const own = steps.find((step) => step["application"] === application);
  return own === undefined ? "Waiting" : `${text(own["status"])}: ${text(own["message"])}`;
}
