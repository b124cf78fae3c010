import { expect, it } from "vitest";
import { T0 } from "../fakes/examples.ts";
import { makeHouse } from "./house.ts";

const HOUR = 3_600_000;

it("delivers nothing that finished before the target was known, and says why and what to do", async () => {
  const house = makeHouse();
  const old = await house.ready({ tag: "1.1", finishedAt: T0 - 2 * HOUR });
  expect(await house.saysOf(old)).toBe(
    "cancelled(closed): its run finished at 2026-01-02T01:04:05.000Z, before checkout/staging was known here " +
      "(2026-01-02T03:04:05.000Z): it is history only; run the pipeline again to deliver this commit",
  );
  expect(await house.eventsOf(old)).toEqual(["received", "done"]);
});

it("delivers the first build of a target, whose run finished a little before it was reported", async () => {
  const house = makeHouse();
  expect((await house.ready({ tag: "1.1", finishedAt: T0 - HOUR })).phase).toBe("ready");
});

it("delivers what finished long before it was reported, once the target is known", async () => {
  const house = makeHouse();
  await house.written({ tag: "1.1" });
  await house.wait(72 * HOUR);
  expect((await house.ready({ tag: "1.2", finishedAt: T0 + HOUR })).phase).toBe("ready");
});
