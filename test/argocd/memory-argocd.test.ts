import { argoCdContract } from "../contracts/argocd.ts";
import { MemoryArgoCd } from "../fakes/memory-argocd.ts";
import { VirtualClock } from "./virtual-clock.ts";

argoCdContract("MemoryArgoCd", async (git, repositoryUrl) => {
  const clock = new VirtualClock();
  const targets = ["dev", "prod"].map((environment) => ({
    app: "checkout",
    environment,
    places: [{ format: "kustomize" as const, directory: `apps/checkout/overlays/${environment}` }],
  }));
  const argocd = new MemoryArgoCd({ clock, git, repositoryUrl, branch: "main", targets });
  return {
    argocd,
    annotate: (name, annotations) => argocd.world.annotate("argocd", name, annotations),
    async pass() {
      clock.advance(100);
    },
    async close() {},
  };
});
