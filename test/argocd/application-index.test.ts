import { expect, test } from "vitest";
import { ApplicationIndex } from "../../src/argocd/application-index.ts";
import { snapshot } from "./judging.ts";
import { eventsOf } from "./recordings.ts";

const ref = { cluster: "main", namespace: "argocd", name: "checkout" };
/** Each is another state, so that all of them are kept. */
const version = (resourceVersion: string, uid = "uid") =>
  snapshot({ ref, resourceVersion, uid, healthMessage: resourceVersion });
const versions = (index: ApplicationIndex, after?: string) =>
  index.since(ref, after).map((seen) => seen.resourceVersion);

test("without a version the newest is given, with one everything after it, and always at least the newest", () => {
  const index = new ApplicationIndex();
  expect(versions(index)).toEqual([]);
  for (const number of ["9", "10", "11"]) index.put(version(number));
  expect(versions(index)).toEqual(["11"]);
  expect(versions(index, "9")).toEqual(["10", "11"]);
  expect(versions(index, "11")).toEqual(["11"]);
  expect(versions(index, "3")).toEqual(["9", "10", "11"]);
});

test("a version that is not newer is dropped, whatever order list and watch come in", () => {
  const index = new ApplicationIndex();
  for (const number of ["10", "9", "10", "11"]) index.put(version(number));
  expect(versions(index, "0")).toEqual(["10", "11"]);
});

test("versions that differ only in when they were compared are one, and none is given twice", () => {
  const index = new ApplicationIndex();
  const compared = (resourceVersion: string) =>
    snapshot({ ref, resourceVersion, reconciledAt: `time ${resourceVersion}` });
  for (const number of ["7", "8", "9"]) index.put(compared(number));
  expect(versions(index, "0")).toEqual(["9"]);
  expect(versions(index, "7")).toEqual(["9"]);
});

test("a version from a replica that is ahead does not bring everything back", () => {
  const index = new ApplicationIndex();
  for (const number of ["9", "10", "11"]) index.put(version(number));
  expect(versions(index, "50")).toEqual(["11"]);
});

test("a list that Kubernetes vouches for may go back, as after a restored backup", () => {
  const index = new ApplicationIndex();
  index.put(version("10"));
  index.replace([version("4")], () => true);
  expect(versions(index, "0")).toEqual(["10"]);
  index.replace([version("4")], () => true, { rewind: true });
  expect(versions(index, "10")).toEqual(["4"]);
});

test("another object of the same name begins anew", () => {
  const index = new ApplicationIndex();
  index.put(version("10"));
  index.put(version("4", "another"));
  expect(versions(index, "0")).toEqual(["4"]);
});

test("only the last 32 versions are kept", () => {
  const index = new ApplicationIndex();
  for (let number = 1; number <= 100; number++) index.put(version(String(number)));
  expect(index.since(ref, "1")).toHaveLength(32);
  expect(versions(index).at(-1)).toBe("100");
});

test("older versions of thousands of Applications do not fill memory: the oldest go first", () => {
  const index = new ApplicationIndex();
  const many = Array.from({ length: 3_000 }, (_, number) => ({ ...ref, name: `app-${number}` }));
  for (let number = 1; number <= 10; number++) {
    for (const one of many)
      index.put(snapshot({ ref: one, resourceVersion: String(number), healthMessage: `${number}` }));
  }
  const kept = many.map((one) => index.since(one, "0").length);
  expect(kept.reduce((sum, count) => sum + count, 0)).toBe(23_000);
  expect(many.every((one) => index.newest(one)?.resourceVersion === "10")).toBe(true);
  expect(index.since(many[0]!, "0").at(0)?.resourceVersion).toBe("4");
  for (const one of many) index.remove(one);
  expect(index.all()).toEqual([]);
});

test("a failed operation that lasted 22 ms is among the versions of a look every second", () => {
  const index = new ApplicationIndex();
  const events = eventsOf("i", "hook-dev");
  const failedAt = events.find(({ snapshot }) => snapshot.operation?.phase === "Failed")?.at ?? 0;
  const before = events.findLast(({ at }) => at < failedAt - 500);
  for (const event of events.filter(({ at }) => at < failedAt + 1_000)) index.put(event.snapshot);
  const ours = { ...ref, name: "hook-dev" };
  const seen = index.since(ours, before?.snapshot.resourceVersion).map(({ operation }) => operation?.phase);
  expect(seen).toContain("Failed");
});

test("a complete list removes what it lacks, in its scope only, and every change is told", () => {
  const index = new ApplicationIndex();
  const elsewhere = { ...ref, namespace: "team" };
  index.put(version("1"));
  index.put(snapshot({ ref: elsewhere }));
  const told: string[] = [];
  const stop = index.onChange(({ namespace, name }) => told.push(`${namespace}/${name}`));
  index.replace([], ({ namespace }) => namespace === "argocd");
  expect(index.all().map((seen) => seen.ref)).toEqual([elsewhere]);
  expect(told).toEqual(["argocd/checkout"]);
  stop();
  index.remove(elsewhere);
  expect(told).toHaveLength(1);
});
