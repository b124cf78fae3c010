import type { Trouble } from "../kubernetes/trouble.ts";

/** Argo CD's errors, whether its own API or Kubernetes tells of its Applications. */
export const ARGOCD: Trouble = { unreachable: "argocd-unreachable", protocol: "argocd-protocol" };
