import { expect, test } from "vitest";
import { Followed } from "../../src/argocd/followed.ts";
import { VirtualClock } from "./virtual-clock.ts";

const ref = (name: string) => ({ cluster: "main", namespace: "argocd", name });

test("an Application is followed for a minute after somebody asked for it, no other", () => {
  const clock = new VirtualClock();
  const followed = new Followed(clock);
  followed.ask(ref("a"));
  clock.advance(50_000);
  followed.ask(ref("b"));
  expect(["a", "b", "c"].filter((name) => followed.isAsked(ref(name)))).toEqual(["a", "b"]);
  clock.advance(10_001);
  expect(followed.isAsked(ref("a"))).toBe(false);
  followed.ask(ref("a"));
  clock.advance(60_000);
  expect(["a", "b"].filter((name) => followed.isAsked(ref(name)))).toEqual(["a"]);
});
