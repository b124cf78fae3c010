import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, Kube, manifestsOf } from "../cluster/kube.ts";
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
  async function rightsOf(account: string, namespace: string): Promise<Set<string>> {
    const kube = new Kube(await serviceAccountKubeconfig(ci.namespace, account), namespace);
    const apiVersion = "authorization.k8s.io/v1";
    const review = await kube.create({ apiVersion, kind: "SelfSubjectRulesReview", spec: { namespace } });
    return new Set(flat(at(review, "status", "resourceRules")));
  }

  async function beyondAnybody(account: string, namespace = ci.namespace): Promise<string[]> {
    return [...(await rightsOf(account, namespace))].filter((right) => !anybody.has(right)).toSorted();
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
