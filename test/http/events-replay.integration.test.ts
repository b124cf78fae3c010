import { afterEach, beforeEach, expect, it } from "vitest";
import type { Delivery } from "../../src/model/delivery.ts";
import { type RecordedEvent, recordedEvent, recordedEvents } from "../tekton/recordings.ts";
import { type EventSite, sentOf, startEventSite, storedOf } from "./event-site.ts";

let site: EventSite;
beforeEach(async () => {
  site = await startEventSite();
});
afterEach(() => site.close());

type Body = { result: string; reason?: string; build?: string };

async function replay(events: readonly RecordedEvent[]): Promise<Body[]> {
  const answers: Body[] = [];
  for (const event of events) {
    const response = await site.send(sentOf(event));
    expect(response.statusCode).toBe(202);
    answers.push(response.json<Body>());
  }
  return answers;
}

async function deliveries(): Promise<Delivery[]> {
  return (await site.store.deliveries({ limit: 200 })).items;
}

function tally(answers: readonly Body[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { result, reason } of answers) counts[reason ?? result] = (counts[reason ?? result] ?? 0) + 1;
  return counts;
}

it("a restarted events controller sends everything again, and nothing is delivered again", async () => {
  const events = recordedEvents("events-controller-restart");
  site.api.put(...events.map(storedOf));
  const first = await replay(events);
  expect(tally(first)).toEqual({ accepted: 2, failed: 2, "part-of-pipeline-run": 7, "no-image": 2 });
  const delivered = await deliveries();
  expect(delivered).toHaveLength(2);

  const again = await replay(events);
  expect(tally(again)).toEqual({ repeat: 2, failed: 2, "part-of-pipeline-run": 7, "no-image": 2 });
  expect(again.map(({ build }) => build)).toEqual(first.map(({ build }) => build));
  expect(await deliveries()).toEqual(delivered);
});

it("nothing is delivered twice when all events come at once, in any order", async () => {
  const events = recordedEvents("events-controller-restart");
  site.api.put(...events.map(storedOf));
  const shuffled = [...events, ...events.toReversed(), ...events.toSorted((a, b) => (a.file < b.file ? 1 : -1))];
  const answers = await Promise.all(shuffled.map(async (event) => (await site.send(sentOf(event))).json<Body>()));
  expect(tally(answers)).toMatchObject({ accepted: 2, repeat: 4 });
  expect(await deliveries()).toHaveLength(2);
});

it("of all recorded events only the ends of two good PipelineRuns deliver, whatever comes late", async () => {
  const events = recordedEvents("events");
  // The API server has the ends already when the first events come: late or early makes no difference.
  site.api.put(...events.map(storedOf));
  const answers = await replay(events);
  expect(tally(answers)).toEqual({
    accepted: 2,
    "not-finished": 108,
    "part-of-pipeline-run": 9,
    failed: 2,
    cancelled: 5,
    "timed-out": 1,
    "no-source": 1,
  });
  expect(await replay(events.toReversed())).toHaveLength(128);
  const builds = await Promise.all((await deliveries()).map(async ({ buildId }) => site.store.build(buildId)));
  expect(new Set(builds.map((build) => build?.run?.name))).toEqual(new Set(["good-s8z86", "push-28911bb-49dbj"]));
  expect(builds[0]).toMatchObject({
    subject: "tekton:main/demo",
    source: { ref: "refs/heads/main", commit: "3953f9ddf975ab5097ee468d99555c5b441169bf" },
  });
});

it("an event that could not be stored is answered so that Tekton sends it again, and is delivered then", async () => {
  const event = recordedEvent("025-pipelinerun.successful-good-s8z86");
  site.api.put(storedOf(event));
  site.api.trouble = 500;
  const failed = await site.send(sentOf(event));
  expect(failed.json()).toMatchObject({ status: 503, code: "kubernetes-unavailable" });
  expect(failed.headers["retry-after"]).toBe("1");
  site.api.trouble = undefined;
  expect((await site.send(sentOf(event))).json()).toMatchObject({ result: "accepted" });
  expect(site.counted).toEqual(["unavailable", "accepted"]);
});
