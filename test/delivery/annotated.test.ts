import { describe, expect, test } from "vitest";
import { anApplication, aRule, GITOPS_URL, rulesOf, SHOP } from "../fakes/annotated.ts";
import { aTarget } from "../fakes/examples.ts";
import { entry, glance, kustomize, lane, makePlace, never } from "./annotated-place.ts";

describe("targets of annotated Applications", () => {
  test("are found with the file that each renders", async () => {
    const { targets, woken } = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    await targets.refresh(never);
    expect(targets.state).toMatchObject({
      complete: true,
      targets: [
        {
          target: {
            id: "web/dev",
            repository: "gitops",
            branch: "main",
            places: [kustomize("apps/web", "web")],
            applications: [{ cluster: "main", namespace: "argocd", name: "web" }],
          },
          from: { repository: "https://git.example.com/shop/*" },
        },
      ],
    });
    expect(woken).toEqual(["gitops@main"]);
  });

  test("are not decided before Argo CD was heard of, and stay while it is silent later", async () => {
    const place = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    const { applications, targets } = place;
    expect(targets.state.complete).toBe(false);
    place.applications = undefined;
    await targets.refresh(never);
    expect(targets.state.complete).toBe(false);
    place.applications = applications;
    await targets.refresh(never);
    place.applications = undefined;
    await targets.refresh(never);
    expect(glance(targets.state).targets).toEqual([["web/dev", [kustomize("apps/web", "web")]]]);
  });

  test("are not decided while their repository cannot be read", async () => {
    const place = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    place.repository = undefined;
    await place.targets.refresh(never);
    expect(glance(place.targets.state)).toEqual({
      targets: [],
      refused: [],
      undecided: [["web/dev", "web/dev is not known yet: gitops@main cannot be read: repository gitops is not open"]],
    });
    place.repository = place.git;
    await place.targets.refresh(never);
    expect(glance(place.targets.state).targets).toHaveLength(1);
  });

  test("move with their files, at the very tip that is asked for, and only what changed is read again", async () => {
    const files = { "apps/web/kustomization.yaml": entry("web"), "apps/job/kustomization.yaml": entry("job") };
    const place = makePlace(files, [{}, { name: "job", images: `job=${SHOP}/job` }]);
    const { git, targets } = place;
    await targets.refresh(never);
    const next = {
      "apps/web/kustomization.yaml": "components: [part]\n",
      "apps/web/part/kustomization.yaml": entry("web"),
    };
    const tip = git.commit("main", next, "move");
    place.reads = 0;
    await targets.refresh(never);
    expect(glance(targets.state).targets).toContainEqual(["web/dev", [kustomize("apps/web", "web")]]);
    await targets.atTip(lane, tip, never);
    expect(glance(targets.state).targets).toEqual([
      ["web/dev", [kustomize("apps/web/part", "web")]],
      ["job/dev", [kustomize("apps/job", "job")]],
    ]);
    expect(place.reads).toBe(2);
    await targets.atTip(lane, tip, never);
    await targets.atTip(lane, git.commit("main", { "readme.md": "x" }, "else"), never);
    expect(place.reads).toBe(2);
  });

  test("keep their name when the files say nothing, so that what is on its way is still followed", async () => {
    const place = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    await place.targets.refresh(never);
    const tip = place.git.commit("main", { "apps/web/kustomization.yaml": "resources: []\n" }, "gone");
    await place.targets.atTip(lane, tip, never);
    expect(glance(place.targets.state).targets).toEqual([["web/dev", expect.stringContaining("no file that")]]);
  });

  test("go with the annotation, the project's entry, the repository and the Argo CD", async () => {
    const place = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    const { targets } = place;
    const there = async () => {
      targets.configure(rulesOf());
      place.applications = [anApplication()];
      await targets.refresh(never);
      expect(targets.state.targets).toHaveLength(1);
      place.woken.length = 0;
    };
    for (const gone of [
      rulesOf({ rules: [] }),
      rulesOf({ rules: [aRule({ projects: ["team-b"] })] }),
      rulesOf({ repositories: [] }),
      rulesOf({ clusters: [] }),
    ]) {
      await there();
      // At once, without anybody looking again.
      targets.configure(gone);
      expect([targets.state.targets, targets.state.undecided, place.woken]).toEqual([[], [], ["gitops@main"]]);
    }
    await there();
    place.applications = [];
    place.unannotated = ["web"];
    await targets.refresh(never);
    expect([targets.state.targets, targets.state.undecided]).toEqual([[], []]);
  });

  test("are not decided for a minute when their Application is in no list: the list may be wrong", async () => {
    const place = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    const { targets, applications } = place;
    const none = async () => {
      place.applications = [];
      await targets.refresh(never);
      return glance(targets.state);
    };
    await targets.refresh(never);
    const missing = { targets: [], undecided: [["web/dev", expect.stringContaining("is in no list of Argo CD")]] };
    expect(await none()).toMatchObject(missing);
    place.later += 59_000;
    expect(await none()).toMatchObject(missing);
    place.applications = applications;
    await targets.refresh(never);
    expect(glance(targets.state)).toMatchObject({ targets: [["web/dev", [{}]]], undecided: [] });
    expect(await none()).toMatchObject(missing);
    place.later += 60_000;
    expect(await none()).toMatchObject({ targets: [], undecided: [] });
  });

  test("that an entry newly lets in are there at the next look", async () => {
    const files = { "apps/web/kustomization.yaml": entry("web"), "apps/job/kustomization.yaml": entry("job") };
    const job = { name: "job", project: "team-b", images: `job=${SHOP}/job` };
    const { targets } = makePlace(files, [{}, job]);
    await targets.refresh(never);
    expect(glance(targets.state).refused).toEqual(["its project team-b is not listed"]);
    targets.configure(rulesOf({ rules: [aRule({ projects: ["team-*"] })] }));
    expect(glance(targets.state).undecided).toEqual([["job/dev", expect.stringContaining("not been read yet")]]);
    await targets.refresh(never);
    expect(targets.state).toMatchObject({ targets: [{}, {}], refused: [], undecided: [] });
  });

  test("are not decided before it is known who else renders their files", async () => {
    const place = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    place.isSilent = true;
    await place.targets.refresh(never);
    expect(glance(place.targets.state).undecided).toEqual([["web/dev", expect.stringContaining("who else renders")]]);
  });

  test("do not wait for a repository that does not answer", async () => {
    const names = ["gitops", "more"];
    const repositories = names.map((name) => ({ name, url: `https://git.example.com/${name}.git`, branch: "main" }));
    const rules = rulesOf({ rules: [aRule({ repositories: names })], repositories });
    const applications = repositories.map(({ name, url }) => {
      const source = { repoURL: url, path: "apps/web" };
      return { name, images: `web=${SHOP}/web`, source };
    });
    const place = makePlace({ "apps/web/kustomization.yaml": entry("web") }, applications, rules);
    const stop = new AbortController();
    place.hanging = "more";
    const refreshing = place.targets.refresh(stop.signal);
    await expect.poll(() => place.targets.state.targets.length).toBe(1);
    await place.targets.atTip(lane, await place.git.tip("main", never), never);
    expect(glance(place.targets.state)).toMatchObject({
      targets: [["gitops/dev", [{}]]],
      undecided: [["more/dev", expect.any(String)]],
    });
    stop.abort(new Error("stop"));
    await expect(refreshing).rejects.toThrow("stop");
  });

  test("of another address of the repository have to be found there first", async () => {
    const { targets } = makePlace({ "apps/web/kustomization.yaml": entry("web") }, [{}]);
    await targets.refresh(never);
    targets.configure(rulesOf({ repositories: [{ name: "gitops", url: `${GITOPS_URL}?other`, branch: "main" }] }));
    expect(glance(targets.state).undecided).toHaveLength(1);
  });

  test("are refused a file that another Application renders, that the configuration writes, or that is not theirs", async () => {
    const files = {
      "apps/web/kustomization.yaml": entry("web"),
      "apps/exact/kustomization.yaml": entry("exact"),
      "live/out/kustomization.yaml": entry("out"),
    };
    const exact = aTarget({
      id: "other/dev",
      app: "other",
      branch: "main",
      images: [{ name: "e", repository: `${SHOP}/exact` }],
      places: [{ format: "kustomize", directory: "apps/exact" }],
      applications: undefined,
    });
    const place = makePlace(
      files,
      [
        {},
        { name: "web-two", source: { path: "apps/web" } },
        { name: "exact", images: `e=${SHOP}/exact` },
        { name: "out", images: `o=${SHOP}/out`, source: { path: "live/out" } },
      ],
      rulesOf({ targets: [exact] }),
    );
    await place.targets.refresh(never);
    expect(glance(place.targets.state).targets).toEqual([
      ["web/dev", expect.stringContaining("Application main/argocd/web-two renders apps/web/kustomization.yaml too")],
      ["web-two/dev", expect.stringContaining("Application main/argocd/web renders")],
      ["exact/dev", `other/dev of the configuration writes ${SHOP}/exact in apps/exact/kustomization.yaml`],
      ["out/dev", expect.stringContaining("live/out/kustomization.yaml is none of the files")],
    ]);
    expect(place.logged.map(({ message }) => message)).toEqual(
      Array.from({ length: 4 }, () => "a target of annotated Applications cannot be written"),
    );
  });

  test("are one, where Applications of several clusters say so", async () => {
    const both = ["eu", "us"].map((name) => ({ name, app: "web", source: { path: "apps/web" } }));
    const { targets } = makePlace({ "apps/web/kustomization.yaml": entry("web") }, both);
    await targets.refresh(never);
    expect(glance(targets.state).targets).toEqual([["web/dev", [kustomize("apps/web", "web")]]]);
    expect(targets.state.targets[0]?.target.applications?.map(({ name }) => name)).toEqual(["eu", "us"]);
  });

  test("may not be written in two repositories", async () => {
    const repositories = ["gitops", "more"].map((name) => ({
      name,
      url: `https://git.example.com/${name}.git`,
      branch: "main",
    }));
    const sources = repositories.map(({ url, name }) => ({
      repoURL: url,
      path: `apps/${name}`,
      targetRevision: "main",
    }));
    const images = `a=${SHOP}/a,b=${SHOP}/b`;
    const rules = rulesOf({ rules: [aRule({ repositories: ["gitops", "more"] })], repositories });
    const files = { "apps/gitops/kustomization.yaml": entry("a"), "apps/more/kustomization.yaml": entry("b") };
    const { targets } = makePlace(files, [{ images, sources }], rules);
    await targets.refresh(never);
    expect(glance(targets.state).targets).toEqual([
      ["web/dev", "the images of web/dev are written in two repositories"],
    ]);
  });

  test("next to a link or a file that is no text are found all the same, and those say why they are not", async () => {
    const files = {
      "apps/web/kustomization.yaml": entry("web"),
      "apps/link/kustomization.yaml": { content: "../web/kustomization.yaml", mode: "120000" },
      "apps/binary/kustomization.yaml": "\uFFFD",
    };
    const { targets } = makePlace(files, [
      {},
      ...["link", "binary"].map((name) => ({ name, images: `${name}=${SHOP}/${name}` })),
    ]);
    await targets.refresh(never);
    expect(glance(targets.state).targets).toEqual([
      ["web/dev", [kustomize("apps/web", "web")]],
      ["link/dev", expect.stringContaining("no file that the Application renders")],
      ["binary/dev", expect.stringContaining("no file that the Application renders")],
    ]);
  });

  test("may be thousands, and more than anybody has are refused", async () => {
    const names = Array.from({ length: 10_050 }, (_, index) => `app-${String(index).padStart(5, "0")}`);
    const files = Object.fromEntries(names.map((name) => [`apps/${name}/kustomization.yaml`, entry(name)]));
    const place = makePlace(
      files,
      names.map((name) => ({ name, images: `i=${SHOP}/${name}` })),
    );
    await place.targets.refresh(never);
    expect(place.targets.state.targets).toHaveLength(10_000);
    expect(place.targets.state.refused).toHaveLength(50);
    expect(glance(place.targets.state).refused[0]).toBe("10000 others are annotated");
    expect(place.logged.length).toBeLessThan(50);
    place.reads = 0;
    // Compared again by Argo CD, nothing else.
    place.applications = place.applications?.map((one) => ({ ...one, resourceVersion: "next" }));
    const { state } = place.targets;
    await place.targets.refresh(never);
    await place.targets.atTip(lane, place.git.commit("main", { "apps/app-00007/x.yaml": "a: 1\n" }, "else"), never);
    expect([place.reads, place.targets.state]).toEqual([1, state]);
  }, 120_000);
});
