import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, Kube, type Manifest, manifestsOf, parseManifests } from "../cluster/kube.ts";
import { serviceAccountKubeconfig } from "../cluster/parts/service-accounts.ts";
import { CiNamespace } from "../fixtures/ci-namespace.ts";
import { notOurs, runId } from "../fixtures/environment.ts";

if (notOurs !== undefined) console.log(`tekton/rights.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("what the shipped accounts may do, as the API server says", () => {
  let ci: CiNamespace;
  let anybody: Set<string>;

  beforeAll(async () => {
    ci = await CiNamespace.install(`rights-${runId}`, "secret");
    await ci.kube.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "stranger" } });
    anybody = await rightsOf("stranger", ci.namespace);
  });

  afterAll(async () => {
    await ci.close();
  });

  /** `GROUP RESOURCE VERB`, each; with names where a right is for these alone. */
  async function rightsOf(account: string, namespace: string, home = ci.namespace): Promise<Set<string>> {
    const kube = new Kube(await serviceAccountKubeconfig(home, account), namespace);
    const apiVersion = "authorization.k8s.io/v1";
    const review = await kube.create({ apiVersion, kind: "SelfSubjectRulesReview", spec: { namespace } });
    return new Set(flat(at(review, "status", "resourceRules")));
  }

  async function beyondAnybody(account: string, namespace = ci.namespace, home = ci.namespace): Promise<string[]> {
    return [...(await rightsOf(account, namespace, home))].filter((right) => !anybody.has(right)).toSorted();
  }

  it("are those of the files for the listener, no more and no less", async () => {
    const roles = manifestsOf("tasks/rbac/listener.yaml", "tasks/rbac/listener-cluster.yaml");
    const shipped = roles.flatMap((role) => flat(at(role, "rules")));
    expect(shipped.length).toBeGreaterThan(10);
    expect(await beyondAnybody("listener")).toEqual([...new Set(shipped)].toSorted());
  });

  it("are in another namespace only what has no namespace", async () => {
    const role = manifestsOf("tasks/rbac/listener-cluster.yaml").find(({ kind }) => kind === "ClusterRole");
    expect(await beyondAnybody("listener", "default")).toEqual(flat(at(role, "rules")).toSorted());
  });

  it.each(["build-and-deliver", "pull-request", "deliver"])("are none for %s", async (account) => {
    expect(await beyondAnybody(account)).toEqual([]);
    expect(await beyondAnybody(account, "kube-system")).toEqual([]);
  });

  it("are for a listener in a namespace of its own: to start runs at the team's, and to read Triggers", async () => {
    const webhooks = `webhooks-${runId}`;
    const name = `gitspan-listener-of-teams-${runId}`;
    const Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: webhooks } };
    const text = readFileSync("tasks/rbac/cross-namespace/listener.yaml", "utf8")
      .replaceAll("gitspan-listener-of-teams", name)
      .replaceAll("namespace: webhooks", `namespace: ${webhooks}`)
      .replaceAll("shop-ci", ci.namespace);
    // The listener itself would need a Pod network.
    const objects = parseManifests(text).filter(({ kind }) => kind !== "EventListener");
    await ci.kube.apply(Namespace, ...objects);
    const reading = manifestsIn(text, "ClusterRole").flatMap((role) => flat(at(role, "rules")));
    expect(await beyondAnybody("listener", "default", webhooks)).toEqual(reading.toSorted());
    for (const namespace of [webhooks, ci.namespace]) {
      const role = manifestsIn(text, "Role").find(({ metadata }) => metadata?.namespace === namespace);
      const wanted = [...reading, ...flat(at(role, "rules"))].toSorted();
      expect(await beyondAnybody("listener", namespace, webhooks), namespace).toEqual(wanted);
    }
    await ci.kube.remove(Namespace);
    for (const kind of ["ClusterRole", "ClusterRoleBinding"]) {
      await ci.kube.remove({ apiVersion: "rbac.authorization.k8s.io/v1", kind, metadata: { name } });
    }
  });

  it("are less than those of Tekton's own roles for a listener", async () => {
    const apiVersion = "rbac.authorization.k8s.io/v1";
    const rights = new Set<string>();
    for (const name of ["tekton-triggers-eventlistener-roles", "tekton-triggers-eventlistener-clusterroles"]) {
      const role = await ci.kube.read({ apiVersion, kind: "ClusterRole", metadata: { name } });
      for (const right of flat(at(role, "rules"))) rights.add(right);
    }
    const ours = await beyondAnybody("listener");
    expect([...rights]).toEqual(expect.arrayContaining(ours));
    const theirs = [...rights].filter((right) => !ours.includes(right));
    expect(theirs).toEqual(expect.arrayContaining([" secrets get", " secrets list", " serviceaccounts impersonate"]));
  });
});

function manifestsIn(text: string, kind: string): Manifest[] {
  return parseManifests(text).filter((one) => one.kind === kind);
}

function flat(rules: unknown): string[] {
  return (Array.isArray(rules) ? rules : []).flatMap((rule) => {
    const names = texts(at(rule, "resourceNames")).join();
    const suffix = names === "" ? "" : ` (${names})`;
    return texts(at(rule, "apiGroups")).flatMap((group) =>
      texts(at(rule, "resources")).flatMap((resource) =>
        texts(at(rule, "verbs")).map((verb) => `${group} ${resource} ${verb}${suffix}`),
      ),
    );
  });
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
