import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import { eventually } from "../argocd/simulated.ts";
import type { Trouble } from "../fakes/kubernetes-api.ts";
import { endedRun, FollowedCluster, goingOn, unavailable } from "./following.ts";

const HOUR = 3_600_000;

let cluster: FollowedCluster;
beforeEach(async () => {
  cluster = await FollowedCluster.start();
});
afterEach(() => cluster.close());

const taken = async (...names: string[]): Promise<void> => {
  await eventually(() => names.every((name) => cluster.taken.includes(name)));
};
const watching = async (): Promise<void> => eventually(() => cluster.api.collection.watched > 0);

describe("runs that are watched", () => {
  it("are taken when they succeed, each once, however often they change afterwards", async () => {
    await cluster.follow();
    await watching();
    const run = endedRun("web-1");
    cluster.api.put(goingOn(run));
    cluster.api.put(run);
    await taken("web-1");
    cluster.api.put({ ...run, metadata: { ...run.metadata, annotations: { "chains.tekton.dev/signed": "true" } } });
    cluster.api.put(endedRun("web-2"));
    await taken("web-2");
    expect(cluster.counted).toEqual(["tekton-watch accepted", "tekton-watch accepted"]);
    expect(cluster.reports[0]).toMatchObject({ run: { name: "web-1", cluster: "main", namespace: "demo" } });
  });

  it("lead to nothing when they fail, and are logged when they name no source", async () => {
    await cluster.follow();
    await watching();
    const failed = endedRun("bad");
    failed["status"] = { conditions: [{ type: "Succeeded", status: "False", reason: "Failed" }] };
    cluster.api.put(failed, endedRun("lost", Date.now(), { annotations: {} }), endedRun("good"));
    await taken("good");
    expect(cluster.taken).toEqual(["good"]);
    expect(cluster.logged.find(({ fields }) => fields["run"] === "lost")?.fields["reason"]).toBe("no-source");
  });

  it("are only those of the namespaces and labels that are asked for", async () => {
    const labels = { "gitspan.dev/deliver": "yes" };
    await cluster.follow({ namespaces: ["shop", "team"], labels });
    await eventually(() => cluster.api.collection.watched === 2);
    cluster.api.put(endedRun("of-nobody", Date.now(), { labels }));
    cluster.api.put(endedRun("unlabelled", Date.now(), { namespace: "shop" }));
    cluster.api.put(
      endedRun("other-label", Date.now(), { namespace: "shop", labels: { "gitspan.dev/deliver": "no" } }),
    );
    cluster.api.put(endedRun("web", Date.now(), { namespace: "shop", labels }));
    cluster.api.put(endedRun("worker", Date.now(), { namespace: "team", labels }));
    await taken("web", "worker");
    expect(cluster.taken.toSorted()).toEqual(["web", "worker"]);
    expect(cluster.following?.streams.map(({ name }) => name)).toEqual(["tekton/main/shop", "tekton/main/team"]);
  });

  it("are taken from their last state when they are pruned before their end was seen", async () => {
    await cluster.follow();
    await watching();
    const { collection } = cluster.api;
    collection.muteWatches();
    const run = endedRun("short");
    cluster.api.put(goingOn(run));
    cluster.api.put(run);
    cluster.api.remove(run);
    collection.dropWatches();
    await taken("short");
    expect(cluster.counted).toEqual(["tekton-watch accepted"]);
  });

  it("are found in a list of many pages, in the order in which they ended", async () => {
    await cluster.store.intakePosition("tekton/main", Date.now() - HOUR);
    cluster.api.collection.maxPage = 3;
    const begun = Date.now() - HOUR / 2;
    for (const number of [4, 2, 9, 1, 7, 3, 8]) cluster.api.put(endedRun(`run-${number}`, begun + number * 1_000));
    await cluster.follow();
    await taken("run-9");
    expect(cluster.taken).toEqual(["run-1", "run-2", "run-3", "run-4", "run-7", "run-8", "run-9"]);
    expect(cluster.api.collection.lists).toBe(3);
  });
});

describe("what is older than the first look", () => {
  it("is never taken", async () => {
    cluster.api.put(endedRun("old", Date.now() - 1_000), endedRun("older", Date.now() - 9 * HOUR));
    await cluster.follow();
    await watching();
    cluster.api.put(endedRun("older-still", Date.now() - HOUR), endedRun("new", Date.now() + 1_000));
    await taken("new");
    expect(cluster.taken).toEqual(["new"]);
  });

  it("is taken from a time that is given, the first time", async () => {
    cluster.api.put(endedRun("before", Date.now() - 5 * HOUR), endedRun("after", Date.now() - 3 * HOUR));
    await cluster.follow({ since: Date.now() - 4 * HOUR });
    await taken("after");
    expect(cluster.taken).toEqual(["after"]);
  });
});

describe("after an outage", () => {
  it("runs that ended meanwhile are taken, and no others are looked at", async () => {
    await cluster.store.intakePosition("tekton/main", Date.now() - 9 * HOUR);
    await cluster.store.intakeReached("tekton/main", Date.now() - 3 * HOUR);
    cluster.api.put(endedRun("long-done", Date.now() - 5 * HOUR), endedRun("meanwhile", Date.now() - 2 * HOUR));
    await cluster.follow();
    await taken("meanwhile");
    expect(cluster.taken).toEqual(["meanwhile"]);
    await eventually(async () => (await cluster.store.intakePosition("tekton/main")).reached > Date.now() - 60_000);
  });

  it("of the store, the position stays until every run is stored", async () => {
    await cluster.store.intakePosition("tekton/main", Date.now() - HOUR);
    const before = (await cluster.store.intakePosition("tekton/main")).reached;
    cluster.failure = unavailable();
    cluster.api.put(endedRun("web-1", Date.now() - 1_000));
    await cluster.follow();
    await eventually(() => cluster.counted.includes("tekton-watch unavailable"));
    expect((await cluster.store.intakePosition("tekton/main")).reached).toBe(before);
    cluster.failure = undefined;
    await taken("web-1");
    await eventually(async () => (await cluster.store.intakePosition("tekton/main")).reached > before);
  });

  it("one run that cannot be stored holds up no other, only the position", async () => {
    await cluster.store.intakePosition("tekton/main", Date.now() - HOUR);
    const before = (await cluster.store.intakePosition("tekton/main")).reached;
    cluster.stuck.add("stuck");
    cluster.api.put(endedRun("stuck", Date.now() - 2_000), endedRun("listed", Date.now() - 1_000));
    await cluster.follow();
    await taken("listed");
    await watching();
    cluster.api.put(endedRun("watched"));
    await taken("watched");
    expect((await cluster.store.intakePosition("tekton/main")).reached).toBe(before);
    cluster.stuck.clear();
    await taken("stuck");
    await eventually(async () => (await cluster.store.intakePosition("tekton/main")).reached > before);
    expect(cluster.taken).toEqual(["listed", "watched", "stuck"]);
  });

  it("a run that can never be taken holds up nobody", async () => {
    cluster.failure = new GitspanError("internal", "no");
    await cluster.follow();
    await watching();
    cluster.api.put(endedRun("poison"));
    await eventually(() => cluster.counted.includes("tekton-watch refused"));
    cluster.failure = undefined;
    cluster.api.put(endedRun("next"));
    await taken("next");
    expect(cluster.logged.some(({ level, message }) => level === "error" && message.includes("cannot be taken"))).toBe(
      true,
    );
  });
});

describe("a watch", () => {
  it("that is cut goes on from its last version", async () => {
    await cluster.follow();
    await watching();
    const { lists } = cluster.api.collection;
    cluster.api.collection.dropWatches();
    cluster.api.put(endedRun("web-1"));
    await taken("web-1");
    expect(cluster.api.collection.lists).toBe(lists);
  });

  it("that is too old (410) lists again", async () => {
    await cluster.follow();
    await watching();
    const { collection } = cluster.api;
    collection.muteWatches();
    cluster.api.put(endedRun("web-1"));
    collection.compact();
    collection.dropWatches();
    await taken("web-1");
    expect(collection.lists).toBe(2);
  });

  it("that is half open is noticed", async () => {
    await cluster.follow({ idleMs: 300 });
    await watching();
    cluster.api.collection.muteWatches();
    cluster.api.put(endedRun("web-1"));
    await taken("web-1");
    expect(cluster.logged.some(({ fields }) => String(fields["error"]).includes("nothing came for"))).toBe(true);
  });

  it.each([
    ["bytes that are no JSON", "<html>502</html>\n"],
    ["an event of an unknown type", '{"type":"SURPRISE","object":{}}\n'],
    ["an object that is none", '{"type":"MODIFIED","object":[1]}\n{"type":"X"}\n'],
  ])("that sends %s lists again", async (_name, bytes) => {
    await cluster.follow();
    await watching();
    cluster.api.collection.sendGarbage(bytes);
    await eventually(() => cluster.api.collection.lists > 1);
    cluster.api.put(endedRun("web-1"));
    await taken("web-1");
    expect(cluster.following?.streams[0]?.ok).toBe(true);
  });

  it("goes on over objects that make no sense", async () => {
    await cluster.follow();
    await watching();
    const { lists } = cluster.api.collection;
    const odd = [
      null,
      [],
      "run",
      {},
      { metadata: { name: 5, uid: {}, labels: 7 }, status: { conditions: {}, results: 3 } },
    ];
    for (const object of odd) cluster.api.collection.sendGarbage(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
    cluster.api.put(endedRun("web-1"));
    await taken("web-1");
    expect(cluster.api.collection.lists).toBe(lists);
  });

  it("whose next page has expired begins the list anew", async () => {
    await cluster.store.intakePosition("tekton/main", Date.now() - HOUR);
    const { collection } = cluster.api;
    collection.maxPage = 1;
    collection.expireNextPage();
    cluster.api.put(endedRun("web-1"), endedRun("web-2"));
    await cluster.follow();
    await taken("web-1", "web-2");
    expect(collection.lists).toBe(4);
  });

  it.each<Trouble>([401, 403, 404, 429, 500, 503, "cut", "login-page", "no-tekton", "huge"])(
    "that is answered with %s shows it, and catches up when it is over",
    async (trouble) => {
      await cluster.store.intakePosition("tekton/main", Date.now() - HOUR);
      cluster.api.trouble = trouble;
      cluster.api.put(endedRun("web-1"));
      const { streams } = await cluster.follow();
      await eventually(() => streams[0]?.error !== undefined);
      expect(streams[0]?.ok).toBe(false);
      expect(streams[0]?.detail).not.toContain(cluster.api.token);
      cluster.api.trouble = undefined;
      await taken("web-1");
      await eventually(() => streams[0]?.ok === true);
    },
  );

  it("ends at once when it is told to, whatever it waits for", async () => {
    cluster.failure = unavailable();
    await cluster.store.intakePosition("tekton/main", Date.now() - HOUR);
    cluster.api.put(endedRun("web-1"));
    await cluster.follow();
    await eventually(() => cluster.counted.length > 0);
    const begun = Date.now();
    await cluster.stop();
    expect(Date.now() - begun).toBeLessThan(1_000);
    expect(cluster.taken).toEqual([]);
  });
});
