import { describe, expect, it } from "vitest";
import { documentsIn, get, list, nameOf, namesOf, ofKind, record, text, type Value } from "./catalog.ts";
import { listen } from "./listener.ts";
import { schemaOf } from "./schemas.ts";
import { signed, type Webhook, webhooks } from "./webhooks.ts";

const FORGES = ["github", "gitlab", "gitea", "bitbucket-cloud", "bitbucket-server"];
const SECRETS = Object.fromEntries(FORGES.map((forge) => [forge, `secret-of-${forge}`]));
const all = webhooks();

/** Trigger, revision, ref, image name, tag. What is not here starts nothing. */
const STARTS: Readonly<Record<string, string>> = {
  "github-push":
    "github-push ef75c7db8a921a8c0adaabe2e309f2f9d7ce5bd4 refs/heads/main openshift-pipelines/pipelines-as-code ef75c7db8a92",
  "github-push-ref-main":
    "github-push 6fe4cf6bdee23d427228ccac175e288c07c1c95f refs/heads/main chmouel/scratchmyback 6fe4cf6bdee2",
  "argocd-github-commit-event":
    "github-push 63738bb582c8b540af7bcfc18f87c575c3ed66e0 refs/heads/master jessesuen/test-repo 63738bb582c8",
  "argocd-github-tag-event":
    "github-tag 63738bb582c8b540af7bcfc18f87c575c3ed66e0 refs/tags/v1.0 jessesuen/test-repo v1.0",
  "gitlab-push": "gitlab-push 1a1736ec3d7b03349b31218a2f2c572c7c7206d6 refs/heads/main dibyom/triggers 1a1736ec3d7b",
  "argocd-gitlab-event":
    "gitlab-push bb0748feaa336d841c251017e4e374c22d0c8a98 refs/heads/master group/name bb0748feaa33",
  "gitlab-scm-push":
    "gitlab-push 2adc9465c4edfc33834e173fe89436a7cb899a1d refs/heads/master gitlab-org/hello-world 2adc9465c4ed",
  "gitlab-push_subgroup":
    "gitlab-push 2adc9465c4edfc33834e173fe89436a7cb899a1d refs/heads/master group1/group2/group3/grp2repo 2adc9465c4ed",
  "gitlab-tag_create":
    "gitlab-tag 2adc9465c4edfc33834e173fe89436a7cb899a1d refs/tags/v1.0.0 gitlab-org/hello-world v1.0.0",
  "gitlab-pull_request_create":
    "gitlab-pull-request c4c79227ed610f1151f05bbc5be33b4f340d39c8 feature gitlab-org/hello-world mr-1",
  "gitea-scm-push":
    "gitea-push 4522cbcefc20728a5b72b3a86af35e608622c514 refs/heads/master gogits/hello-world 4522cbcefc20",
  "gitea-pull_request_opened":
    "gitea-pull-request 2eba238e33607c1fa49253182e9fff42baafa1eb feature jcitizen/my-repo pr-1",
  "gitea-pull_request_synchronized":
    "gitea-pull-request 2eba238e33607c1fa49253182e9fff42baafa1eb feature jcitizen/my-repo pr-1",
  "bitbucket-cloud-push":
    "bitbucket-cloud-push 141977fedf5cf35aa290ac87d4b5177ac4cd9de1 refs/heads/master brydzewski/foo 141977fedf5c",
  "bitbucket-cloud-pr_created": "bitbucket-cloud-pull-request develop develop brydzewski/foo pr-1",
  "argocd-bitbucket-server-event":
    "bitbucket-server-push 22671f0349857934857983457983475ec39f196b refs/heads/master myproject/test-repo 22671f034985",
  "bitbucket-server-push":
    "bitbucket-server-push 823b2230a56056231c9425d63758fa87078a66b4 refs/heads/master prj/my-repo 823b2230a560",
  "bitbucket-server-push_tag_create":
    "bitbucket-server-tag 823b2230a56056231c9425d63758fa87078a66b4 refs/tags/v1.1.0 prj/my-repo v1.1.0",
  "bitbucket-server-pr_open":
    "bitbucket-server-pull-request 208b0a5c05eddadad01f2aed8802fe0c3b3eaf5e develop prj/my-repo pr-2",
  "bitbucket-server-pr_from_ref_updated":
    "bitbucket-server-pull-request c00d0f269a9844dd168f72f6a9d78a9cff49a318 feature-2 prj/my-repo pr-2",
};

function started(webhook: Webhook, secrets = SECRETS): string[] {
  return listen(signed(webhook, SECRETS[webhook.forge] ?? ""), secrets).map(({ trigger, params }) =>
    [trigger, params["revision"], params["ref"], params["name"], params["version"]].join(" "),
  );
}

function named(name: string): Webhook {
  const found = all.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no webhook ${name}`);
  return found;
}

/** The same event with another body, as the forge would sign that. */
function changed(name: string, change: (body: Value) => void): Webhook {
  const webhook = named(name);
  const body: unknown = JSON.parse(webhook.body);
  change(record(body));
  return { ...webhook, body: JSON.stringify(body) };
}

describe("a webhook of a real forge", () => {
  it.each(all.map((webhook) => ({ webhook, name: webhook.name })))(
    "starts what it should: $name",
    ({ webhook, name }) => {
      const wanted = STARTS[name];
      expect(started(webhook)).toEqual(wanted === undefined ? [] : [wanted]);
    },
  );

  it("starts nothing with a wrong signature, or with the secret of another forge", () => {
    for (const webhook of all) {
      expect(listen(signed(webhook, "wrong"), SECRETS), webhook.name).toEqual([]);
      for (const other of FORGES.filter((forge) => forge !== webhook.forge)) {
        expect(listen(signed(webhook, SECRETS[other] ?? ""), SECRETS), `${webhook.name} ${other}`).toEqual([]);
      }
    }
  });

  it("starts nothing when the body was changed after it was signed", () => {
    const { headers } = signed(named("github-push"), SECRETS["github"] ?? "");
    const other = changed("github-push", (body) => Object.assign(body, { after: "a".repeat(40) }));
    expect(listen({ ...other, headers }, SECRETS)).toEqual([]);
  });

  it("starts nothing while its forge has no secret", () => {
    for (const webhook of all) {
      const { [webhook.forge]: _none, ...others } = SECRETS;
      expect(started(webhook, others), webhook.name).toEqual([]);
    }
  });

  it("starts nothing for another branch, for a tag that is no version, and for what is deleted", () => {
    const cases = [
      changed("github-push", (body) => Object.assign(body, { ref: "refs/heads/feature" })),
      changed("github-push", (body) => Object.assign(body, { deleted: true })),
      changed("argocd-github-tag-event", (body) => Object.assign(body, { ref: "refs/tags/latest" })),
      changed("argocd-github-tag-event", (body) => Object.assign(body, { deleted: true })),
      changed("gitea-scm-push", (body) => Object.assign(body, { after: "0".repeat(40) })),
      changed("gitlab-scm-push", (body) => Object.assign(body, { checkout_sha: null })),
    ];
    for (const webhook of cases) expect(started(webhook), webhook.name).toEqual([]);
  });

  it("starts one run for a Gitea push, though Gitea sends GitHub's headers too", () => {
    const push = changed("gitea-recorded", (body) => Object.assign(body, { ref: "refs/heads/main" }));
    expect(push.headers).toMatchObject({ "X-Github-Event": "push", "X-Gitea-Event": "push" });
    expect(started(push)).toEqual([expect.stringMatching(/^gitea-push 67e32b8c0c28/)]);
    const tag = changed("gitea-recorded", (body) => Object.assign(body, { ref: "refs/tags/v1.2.0" }));
    expect(started(tag)).toEqual([
      expect.stringMatching(/^gitea-tag .* refs\/tags\/v1\.2\.0 platform\/gitops v1\.2\.0$/),
    ]);
  });

  it("makes of any tag one that an image can have", () => {
    const tag = changed("argocd-github-tag-event", (body) => Object.assign(body, { ref: "refs/tags/v1.0/beta+2" }));
    expect(started(tag)).toEqual([expect.stringMatching(/ v1\.0-beta-2$/)]);
  });

  it("starts a run for a pull request of the repository itself, and none for one of a fork: that is a stranger's code", () => {
    for (const name of ["github-pull-req", "github-pull_request-triggers"]) {
      const own = changed(name, (body) => {
        const pull = record(body["pull_request"]);
        Object.assign(body, { action: "synchronize" });
        record(pull["head"])["repo"] = record(pull["base"])["repo"];
        Object.assign(record(body["repository"]), record(record(pull["base"])["repo"]));
      });
      expect(started(own), name).toEqual([expect.stringMatching(/^github-pull-request [0-9a-f]{40} .* pr-\d+$/)]);
      const fork = changed(name, (body) => {
        Object.assign(body, { action: "opened" });
        Object.assign(record(record(record(body["pull_request"])["head"])["repo"]), { full_name: "stranger/fork" });
      });
      expect(started(fork), name).toEqual([]);
    }
    const update = (oldrev: object) =>
      changed("gitlab-pull_request_create", (body) =>
        Object.assign(record(body["object_attributes"]), { action: "update", ...oldrev }),
      );
    expect(started(update({ oldrev: "a".repeat(40) }))).toEqual([expect.stringMatching(/^gitlab-pull-request /)]);
    // A new title or label.
    expect(started(update({}))).toEqual([]);
    const mergeRequestOfFork = changed("gitlab-pull_request_create", (body) =>
      Object.assign(record(body["object_attributes"]), { source_project_id: 99 }),
    );
    expect(started(mergeRequestOfFork)).toEqual([]);
  });

  it("of Bitbucket Cloud builds a branch and a tag that were pushed together, each once", () => {
    const both = changed("bitbucket-cloud-push", (body) => {
      const [change] = list(get(body, "push", "changes"));
      const tag = { ...record(change?.["new"]), type: "tag", name: "v2.0.0" };
      record(body["push"])["changes"] = [{ new: null, old: {} }, change, { ...change, new: tag }];
    });
    expect(started(both)).toEqual([
      expect.stringMatching(/^bitbucket-cloud-push .* refs\/heads\/master /),
      expect.stringMatching(/^bitbucket-cloud-tag .* refs\/tags\/v2\.0\.0 .* v2\.0\.0$/),
    ]);
  });
});

describe("a run that a webhook started", () => {
  const runs = all.flatMap((webhook) =>
    listen(signed(webhook, SECRETS[webhook.forge] ?? ""), SECRETS).map((one) => ({ ...one, webhook })),
  );
  const pipelines = new Map(ofKind("Pipeline").map(({ object }) => [nameOf(object), record(object["spec"])]));
  const accounts = new Set(documentsIn("rbac/accounts.yaml").map(nameOf));
  const secrets = new Set(documentsIn("trigger/samples/secrets.yaml").map(nameOf));

  it("is a PipelineRun as the API server takes it, with nothing left to fill in", () => {
    const { check } = schemaOf("PipelineRun");
    for (const { run, webhook } of runs) {
      expect(check(run), webhook.name).toEqual([]);
      expect(JSON.stringify(run), webhook.name).not.toContain("$(");
    }
  });

  it("gives its Pipeline what it wants and nothing that it does not know", () => {
    for (const { run, webhook } of runs) {
      const pipeline = pipelines.get(text(get(run, "spec", "pipelineRef", "name")));
      const params = list(pipeline?.["params"]);
      const given = [...namesOf(get(run, "spec", "params"))];
      expect([...namesOf(params)], webhook.name).toEqual(expect.arrayContaining(given));
      expect(given, webhook.name).toEqual(
        expect.arrayContaining(params.filter((one) => !("default" in one)).map(nameOf)),
      );
      const workspaces = [...namesOf(get(run, "spec", "workspaces"))];
      expect([...namesOf(pipeline?.["workspaces"])], webhook.name).toEqual(expect.arrayContaining(workspaces));
    }
  });

  it("names accounts, Secrets and Tasks that are there", () => {
    for (const { run, webhook } of runs) {
      const specs = list(get(run, "spec", "taskRunSpecs"));
      const wanted = [
        get(run, "spec", "taskRunTemplate", "serviceAccountName"),
        ...specs.map((one) => one["serviceAccountName"]),
      ];
      for (const account of wanted) expect(accounts, webhook.name).toContain(account);
      const tasks = namesOf(pipelines.get(text(get(run, "spec", "pipelineRef", "name")))?.["tasks"]);
      for (const spec of specs) expect(tasks, webhook.name).toContain(spec["pipelineTaskName"]);
      const bound = list(get(run, "spec", "workspaces")).flatMap((one) => get(one, "secret", "secretName") ?? []);
      expect([...secrets], webhook.name).toEqual(expect.arrayContaining(bound));
    }
  });

  it("lets no code of the repository run with the account that may deliver", () => {
    const delivering = runs.filter(({ run }) => get(run, "spec", "pipelineRef", "name") === "build-and-deliver");
    expect(delivering.length).toBeGreaterThan(5);
    for (const { run } of delivering) {
      const specs = list(get(run, "spec", "taskRunSpecs")).map((one) => [
        one["pipelineTaskName"],
        one["serviceAccountName"],
      ]);
      expect(specs).toEqual([
        ["deliver", "deliver"],
        ["wait-for-delivery", "deliver"],
      ]);
      expect(get(run, "spec", "taskRunTemplate", "serviceAccountName")).toBe("build-and-deliver");
    }
  });

  it("says where its source comes from, in the form that gitspan reads", () => {
    for (const { run, params } of runs.filter(({ trigger }) => !trigger.endsWith("pull-request"))) {
      expect(get(run, "metadata", "annotations")).toMatchObject({
        "gitspan.dev/source-repository": params["url"],
        "gitspan.dev/source-ref": expect.stringMatching(/^refs\/(?:heads|tags)\//),
      });
    }
  });

  it("of a pull request says no source, so that it could not be delivered even by its event", () => {
    const pulls = runs.filter(({ trigger }) => trigger.endsWith("pull-request"));
    expect(pulls.length).toBeGreaterThan(4);
    for (const { run } of pulls) expect(JSON.stringify(run)).not.toContain("gitspan.dev/source");
  });
});
