import { expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

async function batch(...lines: (object | string)[]) {
  const input = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
  const { code, stdout, stderr } = await runCli(["edit", "--batch"], { input });
  const answers = stdout.split("\n").filter((line) => line !== "");
  return { code, stderr, answers: answers.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const before = "images:\n- name: r.io/app\n  newTag: v1\n";
const bump = { op: "bump", image: "r.io/app", newTag: "v2" };

test("each line is answered in order, whatever becomes of the others", async () => {
  const { code, stderr, answers } = await batch(
    { id: 1, path: "kustomization.yaml", before, intents: [bump] },
    { id: "two", path: "f.yaml", before: "a: 1\n", intents: [bump] },
    "",
    { id: 3, before: "a: 1\n", intents: [{ op: "set-value", path: ["a"], new: "2" }] },
    {
      id: 4,
      path: "f.yaml",
      before,
      intents: [
        {
          op: "set-image",
          name: "r.io/app",
          newName: null,
          index: 0,
          span: [0, 0],
          fields: { newTag: { old: "v1", new: "v3" } },
        },
      ],
    },
    {
      id: 5,
      path: "f.yaml",
      before: "resources:\n- h/o/r?ref=v1\n",
      intents: [{ op: "set-ref", section: "resources", url: "h/o/r?ref=v1", oldRef: "v1", newRef: "v2" }],
    },
  );
  expect([code, stderr]).toEqual([0, "gitspan: 1 of 5 were not edited\n"]);
  expect(answers).toEqual([
    { id: 1, after: before.replace("v1", "v2"), warnings: [] },
    { id: "two", error: expect.objectContaining({ code: "edit-not-found", line: 1, column: 1 }) },
    { id: 3, after: "a: 2\n", warnings: [expect.stringContaining("YAML reads it as a number")] },
    { id: 4, after: before.replace("v1", "v3"), warnings: [] },
    { id: 5, after: "resources:\n- h/o/r?ref=v2\n", warnings: [] },
  ]);
});

test("a bump finds the image in every layout", async () => {
  const layouts = [
    "kind: Deployment\nspec: {containers: [{image: 'r.io/app:v1'}]}\n",
    "image: {repository: r.io/app, tag: v1}\n",
    "patches:\n- patch: |\n    - {op: replace, path: /a, value: r.io/app:v1}\n",
    "kind: Application\nspec: {source: {kustomize: {images: [x=r.io/app:v1]}, helm: {values: 'a: r.io/app:v1'}}}\n",
    "helm:\n  parameters: [{name: repository, value: r.io/app}, {name: tag, value: v1}]\n",
    'n: r.io/app # {"$imagepolicy": "a:b:name"}\nt: v1 # {"$imagepolicy": "a:b:tag"}\n',
    '{"image": "r.io/app:v1"}',
  ];
  const { answers } = await batch(...layouts.map((text, id) => ({ id, before: text, intents: [bump] })));
  expect(answers).toEqual(layouts.map((text, id) => ({ id, after: text.replaceAll("v1", "v2"), warnings: [] })));
});

test.each<[string, object | string, string]>([
  ["no JSON", "{", "bad-request"],
  ["no object", "[]", "bad-request"],
  ["no text", { id: 1, intents: [bump] }, "bad-request"],
  ["no intents", { id: 1, before, intents: [] }, "bad-request"],
  ["an unknown op", { id: 1, before, intents: [{ op: "drop" }] }, "bad-request"],
  ["a path that is none", { id: 1, before, intents: [{ op: "set-value", path: [null], new: "x" }] }, "bad-request"],
  [
    "a value that is no text",
    { id: 1, before, intents: [{ op: "set-value", path: ["images"], new: 1 }] },
    "bad-request",
  ],
  ["a ref of nothing", { id: 1, before, intents: [{ op: "set-ref", newRef: "x" }] }, "bad-request"],
  ["a digest that is none", { id: 1, before, intents: [{ op: "bump", image: "a", digest: "x" }] }, "bad-request"],
  [
    "a document that is no number",
    { id: 1, before, intents: [{ op: "set-value", doc: "1", path: ["a"], new: "x" }] },
    "bad-request",
  ],
  ["no YAML", { id: 1, before: "a: [", intents: [bump] }, "edit-parse"],
])("%s is an error of its line", async (_, line, code) => {
  const { answers } = await batch(line);
  expect(answers).toEqual([{ id: typeof line === "string" ? null : 1, error: expect.objectContaining({ code }) }]);
});
