import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import type { InitOptions } from "../init-run.ts";

export function addInit(program: Command, context: Context): void {
  program
    .command("init")
    .description("write a first configuration from a clone of the GitOps repository; needs no server")
    .argument("[folder]", "the clone", ".")
    .option("--argocd-server <url>", "take names, environments and targets from the Applications of this Argo CD")
    .option("--argocd-token-file <file>", "file with a token that may get Applications")
    .option("--argocd-ca-file <file>", "certificates (PEM) to trust for it")
    .option("--kubeconfig <file>", "read its Applications from the Kubernetes API instead")
    .option("--context <name>", "context of the kubeconfig; default: the current one")
    .option("--write <file>", "write there instead of printing it; never replaces a file")
    .action(
      action(context, async (folder: string, options: InitOptions) => {
        const { runInit } = await import("../init-run.ts");
        return runInit(context.io, folder, options);
      }),
    );
}
