/** The two programs of the demonstration beside gitspan itself (docker-compose.yml): `seed` and `argocd`. */
import { serveSimulatedArgoCd } from "./argocd.ts";
import { seed } from "./seed.ts";

const [command] = process.argv.slice(2);
const place = {
  gitea: setting("GITEA_URL", "http://gitea:3000"),
  password: setting("DEMO_PASSWORD", "demonstration"),
  files: setting("GITOPS_FILES", "deploy/compose/gitops"),
  secrets: setting("SECRETS", "/run/gitspan"),
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (command === "seed") {
  await seed(place, say);
} else if (command === "argocd") {
  const port = Number(setting("PORT", "8080"));
  const argocd = await serveSimulatedArgoCd({ ...place, port });
  say(`SIMULATED Argo CD on port ${port}: it reads the repository and runs no Pods`);
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => void argocd.close());
} else {
  say("usage: node test/compose/main.ts seed|argocd");
  process.exitCode = 2;
}

function setting(name: string, fallback: string): string {
  return process.env[name] ?? fallback;
}
