import { afterEach, describe, expect, test } from "vitest";
import type { ArgoCd } from "../../src/delivery/ports.ts";
import type { ApplicationSnapshot } from "../../src/model/application.ts";
import { GitText, kustomization } from "../argocd/git-text.ts";

export interface ArgoCdSubject {
  argocd: ArgoCd;
  /** As somebody editing an Application in the namespace `argocd` does it. */
  annotate(name: string, annotations: Readonly<Record<string, string>>): void;
  /** Lets a little time pass, real or virtual. */
  pass(): Promise<void>;
  close(): Promise<void>;
}

/** Cluster `main` with `argocd/checkout-dev` and `argocd/checkout-prod`, which follow `main` of this repository. */
export type MakeArgoCd = (git: GitText, repositoryUrl: string) => Promise<ArgoCdSubject>;

export const REPOSITORY_URL = "https://git.example.com/platform/gitops.git";
const DEV = "apps/checkout/overlays/dev";
const PROD = "apps/checkout/overlays/prod";
const dev = { cluster: "main", namespace: "argocd", name: "checkout-dev" };
const signal = AbortSignal.timeout(60_000);

export function argoCdContract(name: string, make: MakeArgoCd): void {
  describe(`${name} keeps the contract of ArgoCd`, () => {
    let subject: ArgoCdSubject;
    afterEach(async () => subject.close());

    async function start(): Promise<{ argocd: ArgoCd; git: GitText }> {
      const git = new GitText();
      git.commit({
        [`${DEV}/kustomization.yaml`]: kustomization("1.0.0"),
        [`${PROD}/kustomization.yaml`]: kustomization("1.0.0"),
      });
      subject = await make(git, REPOSITORY_URL);
      return { argocd: subject.argocd, git };
    }

    /** Looks until the last snapshot is as wanted; gives everything seen on the way. */
    async function until(
      argocd: ArgoCd,
      wanted: (snapshot: ApplicationSnapshot) => boolean,
      afterVersion?: string,
    ): Promise<ApplicationSnapshot[]> {
      const seen: ApplicationSnapshot[] = [];
      let version = afterVersion;
      while (!signal.aborted) {
        for (const snapshot of await argocd.snapshots(dev, version)) {
          if (snapshot.resourceVersion === version) continue;
          seen.push(snapshot);
          version = snapshot.resourceVersion;
          if (wanted(snapshot)) return seen;
        }
        await subject.pass();
      }
      throw new Error(`never came: ${JSON.stringify(seen.at(-1))}`);
    }

    test("an Application is found by repository, branch and file, however the address is written", async () => {
      const { argocd } = await start();
      const wanted = { repositoryUrl: "git@GIT.example.com:platform/gitops", branch: "main" };
      const file = `${DEV}/kustomization.yaml`;
      const elsewhere = "elsewhere/kustomization.yaml";
      const found = await argocd.find({ ...wanted, paths: [file, elsewhere] });
      expect([found.get(file), found.get(elsewhere)]).toEqual([[dev], []]);
      expect((await argocd.find({ ...wanted, branch: "next", paths: [file] })).get(file)).toEqual([]);
    });

    test("snapshots end with the state now, and a known version gives only what came later", async () => {
      const { argocd, git } = await start();
      const seen = await until(argocd, ({ sync }) => sync === "Synced");
      const version = seen.at(-1)?.resourceVersion;
      expect((await argocd.snapshots(dev, version)).at(-1)?.sync).toBe("Synced");

      const sha = git.commit({ [`${DEV}/kustomization.yaml`]: kustomization("1.1.0") });
      await argocd.refresh(dev, signal);
      const later = await until(argocd, ({ revisions }) => revisions[0] === sha, version);
      expect(later.map(({ resourceVersion }) => resourceVersion)).not.toContain(version);
    });

    test("an Application that does not exist has no snapshots", async () => {
      const { argocd } = await start();
      expect(await argocd.snapshots({ ...dev, name: "nothing" }, undefined)).toEqual([]);
    });

    test("Applications that ask to be targets are told with what they ask for, as long as they do", async () => {
      const { argocd } = await start();
      const annotations = {
        "gitspan.dev/images": "a=r.io/a",
        "gitspan.dev/app": "shop",
        "gitspan.dev/environment": "dev",
      };
      const told = async (): Promise<unknown[]> =>
        (await argocd.annotated()).map(({ ref, annotated }) => [ref.name, annotated]);
      const untilTold = async (count: number): Promise<void> => {
        while (!signal.aborted && (await told()).length !== count) await subject.pass();
      };
      expect(await told()).toEqual([]);
      subject.annotate("checkout-prod", annotations);
      await untilTold(1);
      subject.annotate("checkout-dev", { "gitspan.dev/images": "b=r.io/b", "gitspan.dev/other": "x" });
      await untilTold(2);
      expect(await told()).toEqual([
        ["checkout-dev", { images: "b=r.io/b", own: [] }],
        ["checkout-prod", { images: "a=r.io/a", app: "shop", environment: "dev", own: [] }],
      ]);
      subject.annotate("checkout-dev", { "gitspan.dev/app": "shop" });
      await untilTold(1);
      expect(await told()).toEqual([["checkout-prod", expect.objectContaining({ app: "shop" })]]);
    });

    test("an inspection is of the kind that was asked for, and what cannot be read is left out", async () => {
      const { argocd } = await start();
      await until(argocd, ({ sync }) => sync === "Synced");
      for (const kind of ["workloads", "policy"] as const) {
        expect(await argocd.inspect(dev, kind, signal)).toMatchObject({ kind });
      }
      expect((await argocd.inspect({ ...dev, name: "nothing" }, "workloads", signal)).pods).toBeUndefined();
    });

    test("a refresh leads to a comparison made later", async () => {
      const { argocd } = await start();
      const before = Date.parse(
        (await until(argocd, ({ reconciledAt }) => reconciledAt !== undefined)).at(-1)?.reconciledAt ?? "",
      );
      // Argo CD stamps whole seconds: a refresh in the same one does not show.
      let after = before;
      while (after <= before) {
        await argocd.refresh(dev, signal);
        await subject.pass();
        after = Date.parse((await argocd.snapshots(dev, undefined)).at(-1)?.reconciledAt ?? "");
      }
      expect(after).toBeGreaterThan(before);
    });

    test("a new image rolls out through every state that a real Argo CD shows", async () => {
      const { argocd, git } = await start();
      const version = (await until(argocd, ({ sync }) => sync === "Synced")).at(-1)?.resourceVersion;
      const sha = git.commit({ [`${DEV}/kustomization.yaml`]: kustomization("1.1.0") });
      await argocd.refresh(dev, signal);
      const image = "registry.example.com/shop/checkout:1.1.0";
      const isDone = ({ health, summaryImages }: ApplicationSnapshot): boolean =>
        health === "Healthy" && summaryImages.join() === image;
      const seen = await until(argocd, isDone, version);
      const words = seen.map(({ sync, health, operation }) => `${sync} ${health} ${operation?.phase ?? "-"}`);
      const order = words.filter((word, index) => word !== words[index - 1]);
      expect(order).toEqual([
        "Synced Healthy Succeeded",
        "Synced Healthy -",
        "OutOfSync Healthy -",
        "OutOfSync Healthy Running",
        "OutOfSync Healthy Succeeded",
        "Synced Progressing Succeeded",
        "Synced Healthy Succeeded",
      ]);
      expect(seen.at(-1)).toMatchObject({ revisions: [sha], operation: { revisions: [sha], images: [image] } });
    });
  });
}
