/** `npm run -s e2e:in -- COMMAND...`: any command inside the cluster's network, with kubectl, crane, helm and argocd at hand. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { componentFolder } from "./cluster/cache.ts";
import { components } from "./cluster/components.ts";
import { enter } from "./cluster/namespace.ts";
import { places, stateFile } from "./cluster/places.ts";

const bins = components.map((one) => path.join(componentFolder(one), "bin"));
const [command, ...rest] = enter(process.argv.slice(2));
const PATH = [...bins, stateFile("argocd/bin"), process.env.PATH].join(":");
const { status } = spawnSync(command, rest, {
  stdio: "inherit",
  env: { ...process.env, PATH, KUBECONFIG: places.kubeconfig },
});
process.exitCode = status ?? 1;
