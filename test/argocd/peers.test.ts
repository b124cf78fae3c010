import { describe, expect, test } from "vitest";
import { agrees, decisions, ourWord, peerCases } from "./peer-cases.ts";

const decided = new Map(decisions.map((decision) => [decision.id, decision]));

test("every case of another tool is decided, none twice", () => {
  expect(decisions.map(({ id }) => id)).toEqual(peerCases.map(({ id }) => id));
});

describe("what other tools say of a state, and what gitspan does", () => {
  // No state was read there: test/delivery/observe.test.ts.
  test.each(peerCases.filter(({ fault }) => fault !== "get:error"))("$id", (peer) => {
    const { ours, why } = decided.get(peer.id) ?? {};
    expect(ourWord(peer)).toBe(ours);
    expect(why === undefined, "a reason stands exactly where we differ").toBe(agrees(peer, ours ?? ""));
  });
});

test("nothing that a peer calls bad is healthy for us, and nothing that it calls good has failed", () => {
  const opposite = peerCases.filter((peer) => {
    const ours = decided.get(peer.id)?.ours ?? "";
    const isDecided = ours === "healthy" || ours.startsWith("failed");
    const isOpen = agrees(peer, "rolling");
    return isDecided && !isOpen && !agrees(peer, ours);
  });
  expect(opposite).toEqual([]);
});
