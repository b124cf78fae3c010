/** A GitOps repository of any size as a `git fast-import` stream: nine files per application in fifty teams' folders. */

export const FILES_PER_APP = 9;
const TEAMS = 50;
const ENVIRONMENTS = ["dev", "staging", "prod"];

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

function folderOf(app: number): string {
  return `apps/team-${pad(app % TEAMS, 2)}/app-${pad(app, 5)}`;
}

/** The file that a bump of the application's dev environment changes. */
export function overlayOf(app: number): string {
  return `${folderOf(app)}/overlays/dev/kustomization.yaml`;
}

function* filesOf(app: number): Generator<[path: string, content: string]> {
  const name = `app-${pad(app, 5)}`;
  const folder = folderOf(app);
  yield [
    `${folder}/base/deployment.yaml`,
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {app: ${name}}\n` +
      `  template:\n    metadata:\n      labels: {app: ${name}}\n    spec:\n      containers:\n        - name: app\n          image: registry.example.com/${name}\n`,
  ];
  yield [
    `${folder}/base/service.yaml`,
    `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  ports:\n    - port: 80\n`,
  ];
  yield [`${folder}/base/kustomization.yaml`, "resources:\n  - deployment.yaml\n  - service.yaml\n"];
  for (const environment of ENVIRONMENTS) {
    yield [
      `${folder}/overlays/${environment}/kustomization.yaml`,
      `# ${name} ${environment}\nresources:\n  - ../../base\n\nimages:\n  - name: registry.example.com/${name}   # bumped by CI\n    newTag: "1.0.${app}"\n`,
    ];
    yield [
      `${folder}/overlays/${environment}/patch.yaml`,
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  replicas: ${environment.length}\n`,
    ];
  }
}

/** One commit on `main` with all files of so many applications. */
export function monorepoStream(apps: number): Buffer {
  const parts = ["commit refs/heads/main\ncommitter Seed <seed@example.com> 1700000000 +0000\ndata 5\nseed\n"];
  for (let app = 0; app < apps; app++) {
    for (const [path, content] of filesOf(app)) {
      parts.push(`M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`);
    }
  }
  parts.push("\n");
  return Buffer.from(parts.join(""));
}
