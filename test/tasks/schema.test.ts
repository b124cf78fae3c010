import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { nameOf, ofKind, ROOT, shipped, taskSpecs } from "./catalog.ts";
import { schemaOf, taskSpecSchema } from "./schemas.ts";

const KINDS = ["Task", "Pipeline", "TaskRun", "PipelineRun", "EventListener", "Trigger", "TriggerBinding"] as const;

describe("what is shipped", () => {
  it("is YAML, each document with an apiVersion, a kind and a name", () => {
    const documents = shipped().filter(({ object }) => object["kind"] !== "Kustomization");
    expect(documents.length).toBeGreaterThan(60);
    for (const { file, object } of documents) {
      expect(object, file).toMatchObject({ apiVersion: expect.any(String), kind: expect.any(String) });
      const { generateName = nameOf(object) } = Object(object["metadata"]);
      expect(generateName, file).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9-])?(\.[-a-z0-9]+)*$/);
    }
  });

  it.each([...KINDS, "TriggerTemplate", "Interceptor", "Repository"])("fits the real definition of %s", (kind) => {
    const { apiVersion, check } = schemaOf(kind);
    const objects = ofKind(kind);
    expect(objects).not.toEqual([]);
    for (const { file, object } of objects) {
      expect(object["apiVersion"], file).toBe(apiVersion);
      expect(check(object), file).toEqual([]);
    }
  });

  it("fits the definition of a Task also where a Task stands in a Pipeline", () => {
    const check = taskSpecSchema();
    for (const { title, spec } of taskSpecs()) expect(check(spec), title).toEqual([]);
  });

  it("would not fit with a field that no Task has, or a value of another type", () => {
    const { check } = schemaOf("Task");
    const task = (step: object) => ({
      apiVersion: "tekton.dev/v1",
      kind: "Task",
      metadata: {},
      spec: { steps: [step] },
    });
    expect(check(task({ name: "a", image: "b:1" }))).toEqual([]);
    expect(check(task({ name: "a", imagge: "b:1" }))).not.toEqual([]);
    expect(check(task({ name: "a", image: 1 }))).not.toEqual([]);
  });

  it("has catalog form: per Task and version a file of its name, a README, samples and tests", () => {
    for (const name of readdirSync(path.join(ROOT, "task"))) {
      for (const version of readdirSync(path.join(ROOT, "task", name))) {
        const folder = path.join(ROOT, "task", name, version);
        expect(readdirSync(folder).toSorted(), folder).toEqual(
          ["README.md", `${name}.yaml`, "samples", "tests"].toSorted(),
        );
        expect(readdirSync(path.join(folder, "samples")), folder).not.toEqual([]);
        expect(readdirSync(path.join(folder, "tests")), folder).toContain("run.yaml");
      }
    }
  });
});
