import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isGitspanError } from "../../src/model/errors.ts";
import { splice } from "../../src/overlays/change.ts";
import { editFile } from "../../src/overlays/edit-file.ts";
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
const pairs = all.filter((row) => "after" in row);
const inputs = all.filter((row) => "input" in row);

test("every hard case is there", () => {
  expect([pairs.length, inputs.length]).toEqual([69, 38]);
});

describe("a hard case of a real commit is reproduced byte for byte:", () => {
  test.each(pairs)("$case", ({ path, before, after, intents }) => {
    const { text, changes } = editFile(before, intents, path);
    expect(text).toBe(after);
    expect(splice(before, changes)).toBe(text);
  });
});

const bump = (image: string): EditIntent => ({ op: "bump", image, newTag: "v9.9.9" });
const set = (...path: (string | number)[]): EditIntent => ({ op: "set-value", path, new: "v9.9.9" });

/** What is done to a file that has no `after`: the paths that then hold the new value, or why it is refused. */
const edits: [name: string, intent: EditIntent, paths: string[] | string][] = [
  ["52-", bump("quay.io/kubearchive/vacuum"), "edit-unsupported 117: stands inside a text block"],
  ["53-", bump("quay.io/kubearchive/vacuum"), "edit-unsupported 117: stands inside a text block"],
  ["54-", bump("quay.io/kubearchive/eventing-controller"), "edit-unsupported 20: stands inside a text block"],
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

test("every input without a result is edited", () => {
  expect(inputs.filter((input) => edits.every(([name]) => !input.case.startsWith(name)))).toEqual([]);
});

/** All values of all documents with their paths, as another reader has them. */
function leaves(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) found.set(path, `${typeof value} ${String(value)}`);
    else for (const [key, child] of Object.entries(value)) visit(child, path === "" ? key : `${path}.${key}`);
  };
  for (const document of parseAllDocuments(text, { uniqueKeys: false })) visit(document.toJS(), "");
  return found;
}

function inputOf(name: string): { text: string; file: string } {
  const found = inputs.find((input) => input.case.startsWith(name))!;
  return { text: found.input, file: found.path.split("/").at(-1)! };
}

const made = edits.filter((row): row is [string, EditIntent, string[]] => typeof row[2] !== "string");
const refused = edits.filter((row): row is [string, EditIntent, string] => typeof row[2] === "string");

describe("an input is edited at the target alone:", () => {
  test.each(made)("%s %j", (name, intent, expected) => {
    const { text: input, file } = inputOf(name);
    const { text, changes } = editFile(input, [intent], file);
    expect(changes.map(({ path }) => path.join(".")).toSorted()).toEqual(expected.toSorted());
    const [before, after] = [leaves(input), leaves(text)];
    const moved = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
    expect(moved.toSorted()).toEqual(expected.toSorted());
    expect(splice(input, changes)).toBe(text);
    expect(editFile(text, [intent], file)).toEqual({ text, changes: [], warnings: [] });
  });
});

describe("an input that cannot be edited is refused with the reason:", () => {
  test.each(refused)("%s %j", (name, intent, expected) => {
    const { text, file } = inputOf(name);
    const [, code, line, words = ""] = /^(\S+) (\d+): (.*)$/.exec(expected) ?? [];
    const error = refusalOf(text, intent, file);
    expect(error).toMatchObject({ code, at: { file, line: Number(line) } });
    expect(error.message).toContain(words);
  });
});

function refusalOf(text: string, intent: EditIntent, file: string): Error {
  try {
    editFile(text, [intent], file);
  } catch (error) {
    if (isGitspanError(error)) return error;
    throw error;
  }
  throw new Error("it was edited");
}
