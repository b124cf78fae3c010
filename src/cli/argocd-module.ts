import type { Clock } from "../model/ambient.ts";
import type { SeenApplication } from "../model/application.ts";

/** The part of `src/argocd` that reads Applications for commands. */
export interface ArgoCdModule {
  readApplications(
    clock: Clock,
    location: {
      kubernetes?: { kind: "kubeconfig"; file: string; context: string | undefined };
      server?: { url: string; token: () => Promise<string> };
      caFile?: string;
    },
    signal: AbortSignal,
  ): Promise<SeenApplication[]>;
}
