import { expect, it } from "vitest";
import { unverified } from "../../src/model/json-web-token.ts";
import type { TektonApi } from "../../src/tekton/api.ts";
import { TaskCallers } from "../../src/tekton/caller.ts";
import { VirtualClock } from "../argocd/virtual-clock.ts";
import { AUDIENCE, aToken, lastTask, RUN, recordedReview } from "./last-task.ts";

/** Answers from the recorded run at once, and counts how often it was asked about a token. */
function start(now: number) {
  const clock = new VirtualClock(now);
  const task = lastTask();
  const { status } = recordedReview("bound-to-a-pod");
  let reviews = 0;
  const api: Pick<TektonApi, "read" | "pod" | "review"> = {
    read: async ({ kind }) => (kind === "PipelineRun" ? task.run : task.tasks["gitops-bump"]),
    pod: async () => task.pod,
    review: async () => {
      reviews++;
      return status;
    },
  };
  const callers = new TaskCallers({ api: api as TektonApi, clock });
  const identify = (token: string) => {
    const claims = unverified(token);
    if (claims === undefined) throw new Error("no token");
    return callers.identify({ token, claims, audience: AUDIENCE, namespaces: [] }, new AbortController().signal);
  };
  return { clock, identify, reviews: () => reviews };
}

const NOW = Date.UTC(2026, 0, 1);
const endingIn = (ms: number, jti = "1") => aToken({ exp: (NOW + ms) / 1_000, jti });

it("a token is asked about once in half a minute", async () => {
  const { clock, identify, reviews } = start(NOW);
  const token = endingIn(600_000);
  expect(await identify(token)).toEqual({
    namespace: "demo",
    account: "gitops-bump",
    taskRun: "good-s8z86-gitops-bump",
    run: RUN,
  });
  clock.advance(29_000);
  await identify(token);
  expect(reviews()).toBe(1);
  clock.advance(2_000);
  await identify(token);
  expect(reviews()).toBe(2);
});

it("what was answered is never remembered beyond the token's end", async () => {
  const { clock, identify, reviews } = start(NOW);
  const token = endingIn(10_000);
  await identify(token);
  clock.advance(11_000);
  await identify(token);
  expect(reviews()).toBe(2);
  // The API server's clock decides for a minute; after that nobody is asked any more.
  clock.advance(60_000);
  await expect(identify(token)).rejects.toMatchObject({ code: "unauthenticated", reason: "expired" });
  expect(reviews()).toBe(2);
});

it("no more than a thousand tokens are remembered, the newest of them", async () => {
  const { identify, reviews } = start(NOW);
  for (let number = 0; number <= 1_000; number++) await identify(endingIn(600_000, String(number)));
  await identify(endingIn(600_000, "1000"));
  expect(reviews()).toBe(1_001);
  await identify(endingIn(600_000, "0"));
  expect(reviews()).toBe(1_002);
});

it("what a token says is read only as far as it makes sense", () => {
  expect(unverified(aToken({ aud: "one", exp: 2 }))).toEqual({
    issuer: "https://kubernetes.default.svc.cluster.local",
    audiences: ["one"],
    expiresAt: 2_000,
  });
  for (const claims of [{ iss: 5 }, { iss: undefined }, { exp: "soon" }, { exp: undefined }]) {
    expect(unverified(aToken(claims))).toBeUndefined();
  }
  expect(unverified(aToken({ aud: [5, "two", null] }))?.audiences).toEqual(["two"]);
  for (const text of ["", "a.b", "a.b.c.d", "aa.bnVsbA.cc", "aa.W10.cc", `aa.${"e".repeat(20_000)}.cc`, "aa.!!.cc"]) {
    expect(unverified(text)).toBeUndefined();
  }
});
