import { afterAll, beforeAll, expect, it } from "vitest";
import { type Grounds, openGrounds, openSite, post, startProcess, waitDone } from "./site.ts";

let grounds: Grounds;
beforeAll(async () => {
  grounds = await openGrounds();
});
afterAll(() => grounds.close());

it("two bridges on one database share the work, and one of them may die in a push", async () => {
  const apps = Array.from({ length: 24 }, (_, index) => `app-${index}`);
  const site = await openSite(grounds, "shared", apps);
  const [mortal, other] = await Promise.all([startProcess(site, "after git.push"), startProcess(site)]);
  const address = other.address ?? "";

  const ids = await Promise.all(
    apps.map(async (app, index) => {
      const first = index % 2 === 0 ? await post(site, mortal.address ?? "", { app }) : undefined;
      // Whoever gets no answer asks the other one: the run makes it the same build.
      return first ?? (await post(site, address, { app }));
    }),
  );
  const ended = await Promise.all(ids.map((id) => waitDone(site, address, id ?? "")));
  expect(ended.map(({ outcome }) => outcome)).toEqual(apps.map(() => "healthy"));

  const log = await grounds.git.log("shared");
  const targets = log.flatMap(({ message }) => /^Gitspan-Target: (.*)$/m.exec(message)?.[1] ?? []);
  expect(targets.toSorted()).toEqual(apps.map((app) => `${app}/dev`).toSorted());
  expect(await other.terminate()).toBe("0");
  await mortal.terminate();
  await site.close();
});
