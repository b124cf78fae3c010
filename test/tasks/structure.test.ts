import { describe, expect, it } from "vitest";
import {
  get,
  isRecord,
  list,
  nameOf,
  namesOf,
  ofKind,
  record,
  shipped,
  taskSpecs,
  text,
  textsIn,
  used,
  type Value,
} from "./catalog.ts";

/** kaniko alone: it builds file systems, whose files belong to many. */
const ROOT_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID"];
const isExecutor = (step: Value) => JSON.stringify(step["command"]) === '["/kaniko/executor"]';

const steps = taskSpecs().flatMap(({ title, spec }) =>
  list(spec["steps"]).map((step) => ({
    title: `${title}: ${nameOf(step)}`,
    step: { ...record(spec["stepTemplate"] ?? {}), ...step },
  })),
);

describe("a step", () => {
  it("has no value of anybody's in its script: scripts are the same in every run", () => {
    const scripts = steps.filter(({ step }) => "script" in step);
    expect(scripts.length).toBeGreaterThan(5);
    for (const { title, step } of scripts) expect(text(step["script"]), title).not.toMatch(/\$\((?!\()[a-z][\w-]*\./);
  });

  it("has either a script or a command, and no shell as its command", () => {
    for (const { title, step } of steps) {
      expect("script" in step, title).not.toBe("command" in step);
      expect(JSON.stringify(step["command"] ?? ""), title).not.toMatch(/sh"/);
    }
  });

  it("runs as nobody, without capabilities, on a root that it cannot write, save kaniko", () => {
    for (const { title, step } of steps) {
      const context = step["securityContext"];
      const common = { allowPrivilegeEscalation: false, seccompProfile: { type: "RuntimeDefault" } };
      const capabilities = isExecutor(step) ? { drop: ["ALL"], add: ROOT_CAPABILITIES } : { drop: ["ALL"] };
      const nobody = { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, readOnlyRootFilesystem: true };
      const user = isExecutor(step) ? { runAsUser: 0, runAsGroup: 0 } : nobody;
      expect(context, title).toEqual({ ...common, capabilities, ...user });
    }
    expect(steps.filter(({ step }) => isExecutor(step))).toHaveLength(1);
  });

  it("asks for CPU and memory, and has a limit of memory", () => {
    for (const { title, step } of steps) {
      expect(step["computeResources"], title).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  it("takes its image from a parameter", () => {
    for (const { title, step } of steps) expect(text(step["image"]), title).toMatch(/^\$\(params\.[\w-]*image\)$/);
  });
});

describe("an image that is a default", () => {
  const defaults = [...ofKind("Task"), ...ofKind("Pipeline")].flatMap(({ file, object }) =>
    list(get(object, "spec", "params"))
      .filter((param) => nameOf(param).endsWith("image") && "default" in param)
      .map((param) => ({ title: `${file} ${nameOf(param)}`, name: nameOf(param), image: text(param["default"]) })),
  );

  it("is pinned to a version, with its registry", () => {
    expect(defaults.length).toBeGreaterThan(10);
    for (const { title, image } of defaults)
      expect(image, title).toMatch(/^[a-z\d.]+\.[a-z]+\/[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*$/);
  });

  it("is the same everywhere", () => {
    const byName = new Map<string, Set<string>>();
    for (const { name, image } of defaults.filter((one) => one.name !== "test-image")) {
      byName.set(name, (byName.get(name) ?? new Set()).add(image));
    }
    for (const [name, images] of byName) expect([...images], name).toHaveLength(1);
  });
});

describe("a Task", () => {
  it.each(["params", "results", "workspaces"])(
    "declares the %s that it uses, and uses those that it declares",
    (kind) => {
      for (const { title, spec } of taskSpecs()) {
        const { [kind]: declared, ...rest } = spec;
        const names = namesOf(declared);
        // A workspace with a place of its own is used by what looks there.
        const byPlace =
          kind === "workspaces"
            ? list(declared)
                .filter((one) => "mountPath" in one)
                .map(nameOf)
            : [];
        const all = new Set([...used(kind, rest), ...byPlace]);
        expect([...all].toSorted(), `${title} ${kind}`).toEqual([...names].toSorted());
      }
    },
  );

  it("describes every parameter, result and workspace", () => {
    for (const { file, object } of [...ofKind("Task"), ...ofKind("Pipeline")]) {
      for (const kind of ["params", "results", "workspaces"]) {
        for (const one of list(get(object, "spec", kind)))
          expect(one["description"], `${file} ${nameOf(one)}`).toMatch(/./);
      }
    }
  });

  it("has a token only for gitspan, for ten minutes, and only where gitspan is asked", () => {
    const withToken = ofKind("Task").filter(({ object }) =>
      textsIn(object).some((one) => one.includes("/var/run/gitspan")),
    );
    expect(withToken.map(({ object }) => nameOf(object)).toSorted()).toEqual([
      "deliver",
      "rollback",
      "wait-for-delivery",
    ]);
    for (const { file, object } of withToken) {
      const token = { audience: "$(params.audience)", expirationSeconds: 600, path: "token" };
      expect(list(get(object, "spec", "volumes")), file).toEqual([
        { name: "token", projected: { sources: [{ serviceAccountToken: token }] } },
      ]);
    }
  });
});

describe("a Pipeline", () => {
  const tasks = new Map(ofKind("Task").map(({ object }) => [nameOf(object), record(object["spec"])]));
  const pipelines = ofKind("Pipeline").map(({ file, object }) => ({ file, spec: record(object["spec"]) }));
  const parts = pipelines.flatMap(({ file, spec }) =>
    [...list(spec["tasks"]), ...list(spec["finally"])].map((part) => {
      const inline = part["taskSpec"];
      const task = isRecord(inline) ? inline : tasks.get(text(get(part, "taskRef", "name")));
      return { title: `${file} ${nameOf(part)}`, part, task: record(task) };
    }),
  );

  it("gives each Task what it wants, and nothing that it does not know", () => {
    for (const { title, part, task } of parts) {
      const given = [...namesOf(part["params"])];
      const known = list(task["params"]);
      expect([...namesOf(known)], title).toEqual(expect.arrayContaining(given));
      const wanted = known.filter((param) => !("default" in param)).map(nameOf);
      expect(given, title).toEqual(expect.arrayContaining(wanted));
      const workspaces = [...namesOf(part["workspaces"])];
      expect([...namesOf(task["workspaces"])], title).toEqual(expect.arrayContaining(workspaces));
      const needed = list(task["workspaces"])
        .filter((one) => one["optional"] !== true)
        .map(nameOf);
      expect(workspaces, title).toEqual(expect.arrayContaining(needed));
    }
  });

  it("declares the parameters and workspaces that it uses, and uses those that it declares", () => {
    for (const { file, spec } of pipelines) {
      const outer = [...list(spec["tasks"]), ...list(spec["finally"])].map(({ taskSpec: _inline, ...part }) => part);
      expect([...used("params", outer)].toSorted(), file).toEqual([...namesOf(spec["params"])].toSorted());
      const workspaces = outer.flatMap((part) => list(part["workspaces"]).map((one) => text(one["workspace"])));
      expect([...new Set(workspaces)].toSorted(), file).toEqual([...namesOf(spec["workspaces"])].toSorted());
    }
  });

  it("reads only results that exist", () => {
    for (const { file, spec } of pipelines) {
      for (const one of textsIn(spec)) {
        for (const [, name = "", result = ""] of one.matchAll(/\$\(tasks\.([\w-]+)\.results\.([\w-]+)/g)) {
          const found = parts.find(({ title }) => title === `${file} ${name}`);
          expect([...namesOf(found?.task["results"])], `${file} ${one}`).toContain(result);
        }
      }
    }
  });

  it("delivers only after the tests and the build, and reports in finally without delivering", () => {
    const [spec] = pipelines.filter(({ file }) => file.endsWith("build-and-deliver.yaml")).map((one) => one.spec);
    const order = list(spec?.["tasks"]).map(nameOf);
    expect(order).toEqual(["git-clone", "prepare-source", "run-tests", "build-image", "deliver", "wait-for-delivery"]);
    for (const { file, spec: each } of pipelines.filter((one) => !one.file.includes("/samples/"))) {
      expect(namesOf(each["finally"]), file).toEqual(new Set(["report"]));
      expect(used("params", each["finally"]), file).not.toContain("gitspan-url");
    }
  });

  it("of a pull request reaches neither the registry nor gitspan", () => {
    const pullRequest = parts.filter(({ title }) => title.startsWith("pipeline/pull-request.yaml"));
    const names = pullRequest.map(({ part }) => nameOf(part));
    expect(names).not.toContain("deliver");
    const build = pullRequest.find(({ part }) => nameOf(part) === "build-image")?.part;
    expect(list(build?.["params"])).toContainEqual({ name: "no-push", value: "true" });
    expect(textsIn(build?.["params"])).toContain("--no-push-cache=true");
  });
});

describe("a run", () => {
  const runs = shipped().filter(({ object }) => /^(?:Pipeline|Task)Run$/.test(String(object["kind"])));

  it("names parameters that its Task or Pipeline has, and all that have no default", () => {
    const known = new Map(
      [...ofKind("Task"), ...ofKind("Pipeline")].map(({ object }) => [
        `${text(object["kind"]).toLowerCase()} ${nameOf(object)}`,
        object,
      ]),
    );
    for (const { file, object } of runs) {
      const kind = isRecord(get(object, "spec", "taskRef")) ? "task" : "pipeline";
      const ref = get(object, "spec", `${kind}Ref`, "name");
      // One that has its Pipeline within it.
      if (ref === undefined) continue;
      const target = known.get(`${kind} ${text(ref)}`);
      const params = list(get(target, "spec", "params"));
      const given = [...namesOf(get(object, "spec", "params"))];
      expect([...namesOf(params)], file).toEqual(expect.arrayContaining(given));
      expect(given, file).toEqual(expect.arrayContaining(params.filter((one) => !("default" in one)).map(nameOf)));
    }
  });
});
