/** A small GitOps repository with an image in every form, and what leads there. */

export const DIGEST = `sha256:${"d".repeat(64)}`;

export const tree: Record<string, string> = {
  "apps/shop/base/kustomization.yaml": "resources: [deployment.yaml]\n",
  "apps/shop/base/deployment.yaml":
    "apiVersion: apps/v1\nkind: Deployment\nspec:\n  containers:\n  - {name: a, image: r.io/shop:v1}\n  - {name: b, image: r.io/shop:v1}\n  - {name: c, image: busybox}\n",
  "apps/shop/part/kustomization.yaml": "kind: Component\nimages: [{name: r.io/side, newTag: v1}]\n",
  "apps/shop/overlays/dev/kustomization.yaml": `kind: Kustomization
resources: [../../base, "https://github.com/org/remote?ref=v1"]
components: [../../part]
images:
- name: r.io/shop
  newName: mirror.io/shop
  newTag: v2
  digest: ${DIGEST}
patches:
- path: patch.yaml
- patch: |
    spec: {image: "r.io/inline:v1"}
helmCharts: [{name: x, valuesFile: values-dev.yaml}]
`,
  "apps/shop/overlays/dev/patch.yaml": "- {op: replace, path: /a, value: r.io/patched:v1}\n",
  "apps/shop/overlays/dev/values-dev.yaml":
    "image: {registry: r.io, repository: cron, tag: v1}\nother: r.io/twice:v1\nmore: r.io/twice:v1\n",
  "argocd/shop.yaml": `kind: Application
metadata: {name: shop}
spec:
  sources:
  - {path: apps/shop/overlays/dev, kustomize: {images: [r.io/over:v1, x=r.io/string:v1]}, helm: {parameters: [{name: i.repository, value: r.io/param}, {name: i.tag, value: v1}]}}
  - {chart: x, helm: {valueFiles: [$values/shared/values.yaml, missing.yaml]}}
  - {ref: values}
`,
  "argocd/set.yaml":
    'kind: ApplicationSet\nmetadata: {name: all}\nspec: {template: {spec: {source: {path: "apps/{{name}}/overlays/{{env}}", helm: {valueFiles: ["../{{env}}.yaml"]}}}}}\n',
  "shared/values.yaml": "web: {image: r.io/web, imageTag: v1}\n---\nlate: r.io/late:v1\n",
  "flux/release.yaml": "kind: HelmRelease\nspec: {values: {image: {repository: r.io/flux, tag: v1}}}\n",
  "config/prod.json": '{"image": "r.io/json:v1"}',
  "chart/templates/pod.yaml": "image: {{ .Values.image }\n",
  "ambiguous.yaml": "a: {repository: r.io/two, tag: v1, imageTag: v2}\n",
  "notes.yaml": "see: http://h.io/x:80\nport: h.io:80\n",
};
