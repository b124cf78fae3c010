/** The demo's GitOps repository: 40 apps in two environments, laid out as teams do it. */

export interface DemoApp {
  name: string;
  repository: string;
}

export const ENVIRONMENTS = ["dev", "prod"] as const;
export const FIRST_TAG = "1.0.0";

/** `web` is what the recorded Tekton run built; its registry is the one of the recording. */
export const apps: readonly DemoApp[] = [
  { name: "web", repository: "127.0.0.1:5000/busybox" },
  ...Array.from({ length: 39 }, (_, index) => {
    const name = `app-${String(index + 1).padStart(2, "0")}`;
    return { name, repository: `registry.example.com/shop/${name}` };
  }),
];

/** The app whose source repository the demo's git server has, too. */
export const WITH_SOURCE = { name: "app-03", source: "shop/app-03" };

export function overlayOf(app: string, environment: string): string {
  return `apps/${app}/overlays/${environment}`;
}

export function gitopsFiles(): Record<string, string> {
  const files: Record<string, string> = { "README.md": "# GitOps\n\nArgo CD syncs this; gitspan writes the images.\n" };
  for (const { name, repository } of apps) {
    files[`apps/${name}/base/kustomization.yaml`] = "resources:\n  - deployment.yaml\n";
    files[`apps/${name}/base/deployment.yaml`] = deployment(name, repository);
    for (const environment of ENVIRONMENTS) {
      files[`${overlayOf(name, environment)}/kustomization.yaml`] = overlay(name, environment, repository);
    }
  }
  return files;
}

/** Comments, an odd blank line and quotes, so that one can see that they stay. */
function overlay(name: string, environment: string, repository: string): string {
  return `# ${name} in ${environment}, owned by team ${name.at(-1)}
resources:
- ../../base

namePrefix: "${environment}-"   # keep


images:
- name: ${repository}   # written by CI
  newTag: "${FIRST_TAG}"
`;
}

function deployment(name: string, repository: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: ${name}
          image: ${repository}
`;
}
