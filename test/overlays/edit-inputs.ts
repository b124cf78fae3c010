import type { EditIntent } from "../../src/overlays/intents.ts";
import { goldenRows } from "./golden-rows.ts";

interface Case {
  case: string;
  feature: string;
  path: string;
  before: string;
  after: string;
  intents: EditIntent[];
}

const all = goldenRows<Case | { case: string; path: string; input: string }>("edit-cases");
export const pairs = all.filter((row) => "after" in row);
export const inputs = all.filter((row) => "input" in row);

const bump = (image: string): EditIntent => ({ op: "bump", image, newTag: "v9.9.9" });
const set = (...path: (string | number)[]): EditIntent => ({ op: "set-value", path, new: "v9.9.9" });

/** What is done to a file that has no `after`: the paths that then hold the new value, or why it is refused. */
export const edits: [name: string, intent: EditIntent, paths: string[] | string][] = [
  ["52-", bump("quay.io/kubearchive/vacuum"), ["patches.3.patch"]],
  ["53-", bump("quay.io/kubearchive/vacuum"), ["patches.3.patch"]],
  ["54-", bump("quay.io/kubearchive/eventing-controller"), ["patches.0.patch"]],
  ["55-", bump("external-secrets"), "edit-not-found 1: nothing here says which external-secrets runs"],
  ["55-", set("helmCharts", 0, "valuesFile"), ["helmCharts.0.valuesFile"]],
  [
    "56-",
    { op: "set-ref", url: "https://github.com/konflux-ci/crossplane-control-plane", newRef: "v9.9.9" },
    ["resources.2", "resources.3", "resources.4"],
  ],
  ["56-", bump("quay.io/konflux-ci/task-runner"), ["images.0.digest", "images.0.newTag"]],
  ["57-", bump("ghcr.io/kubeflow/kubeflow/poddefaults-webhook"), ["images.0.newTag"]],
  ["58-", bump("ghcr.io/kubeflow/kubeflow/jupyter-web-app"), ["images.0.newTag"]],
  ["59-", bump("ghcr.io/lsst-sqre/qserv-kafka"), ["image.tag"]],
  ["60-", bump("ghcr.io/lsst-dm/cm-service"), ["image.tag", "frontend.image.tag"]],
  ["60-", bump("ghcr.io/lsst-dm/cm-web"), ["web.image.tag"]],
  ["61-", bump("quay.io/argoproj/argocd"), ["images.0.newTag"]],
  ["62-", bump("quay.io/prometheus/prometheus"), ["spec.image"]],
  ["63-", set("key"), ["key"]],
  ["64-", set("spring", "loggers", 1, "pattern"), ["spring.loggers.1.pattern"]],
  ["64-", set("server", "ports", 0), ["server.ports.0"]],
  ["64-", set("server"), "edit-unsupported 2: only a plain or quoted value of one line can be replaced"],
  ["leave-expected-cronjob", bump("helloworld"), ["spec.jobTemplate.spec.template.spec.containers.0.image"]],
  ["leave-expected-deployment", bump("helloworld"), ["spec.template.spec.containers.0.image"]],
  ["leave-original-cronjob", bump("helloworld"), ["spec.jobTemplate.spec.template.spec.containers.0.image"]],
  ["leave-original-deployment", bump("helloworld"), ["spec.template.spec.containers.0.image"]],
  ["replace-commented-expected", bump("used"), ["spec.template.spec.containers.0.image"]],
  ["replace-commented-deployment", bump("used"), ["spec.template.spec.containers.0.image"]],
  ["replace-expected-cronjob", bump("used"), ["spec.jobTemplate.spec.template.spec.containers.0.image"]],
  ["replace-expected-deployment", bump("used"), ["spec.template.spec.containers.0.image"]],
  ["replace-original-cronjob", bump("used"), ["spec.jobTemplate.spec.template.spec.containers.0.image"]],
  ["replace-original-deployment", bump("used"), ["spec.template.spec.containers.0.image"]],
  ["setters-expected-kustomization", bump("container"), ["images.0.newTag"]],
  ["setters-expected-marked", bump("image"), ["spec.jobTemplate.spec.template.spec.containers.1.image"]],
  ["setters-original-kustomization", bump("replaced"), ["images.0.newTag"]],
  [
    "setters-original-marked",
    bump("image"),
    [0, 1].map((index) => `spec.jobTemplate.spec.template.spec.containers.${index}.image`),
  ],
  ["setters-original-otherns", bump("user"), ["spec.template.spec.containers.0.image"]],
  ["setters-original-test", set("key"), 'edit-not-found 1: the file has no "key"'],
  ["setters-original-unmarked", bump("image"), ["spec.template.spec.containers.0.image"]],
  ["testdata-1-002", bump("nginx"), "edit-not-found 1: nothing here says which nginx runs"],
  ["testdata-1-002", set("resources", 0), ["resources.0"]],
  ["1-003-multi-source-helm-kustomize-test-helm", bump("quay.io/dkarpele/my-guestbook"), ["image.tag"]],
  ["1-003-multi-source-helm-kustomize-test-kustomize", set("resources", 0), ["resources.0"]],
  ["1-004", bump("quay.io/dkarpele/my-guestbook"), ["image.tag"]],
  ["testdata-1-006", set("resources", 0), ["resources.0"]],
  ["1-008", bump("127.0.0.1:30000/session"), ["session.image.tag"]],
  ["1-008", bump("quay.io/dkarpele/my-guestbook"), ["manager.image.tag"]],
  ["testdata-1-009", set("resources", 0), ["resources.0"]],
  ["testdata-1-010", set("resources", 0), ["resources.0"]],
];
