import { expect, it } from "vitest";
import { newRound, pushAttempt } from "../../src/delivery/push.ts";
import type { AttemptInput } from "../../src/model/lane.ts";
import { planOf } from "../contracts/git-repository.ts";
import { BRANCH, makeHouse } from "./house.ts";

// An attempt is one statement of the database: however many wait, what goes into one push has an end.
it("brings no more than two thousand to one push, also after many that landed", async () => {
  const house = makeHouse();
  const round = newRound();
  expect(Math.min(round.limit, round.batch)).toBe(2_000);
  for (const batch of [16, 1_500, 2_000]) {
    round.batch = batch;
    const base = await house.git.tip(BRANCH, new AbortController().signal);
    const prepared = await house.git.prepare(
      BRANCH,
      base,
      [planOf({ "README.md": `${batch}\n` })],
      new AbortController().signal,
    );
    const attempt: AttemptInput = {
      id: `attempt-${batch}`,
      claim: { lane: { id: "gitops@main", repository: "gitops", branch: BRANCH }, epoch: 1 },
      base,
      head: prepared.head,
      configHash: "",
      items: [],
    };
    const { store, git } = house;
    const { log, metrics } = house.deps;
    expect(
      await pushAttempt({ store, git, log, metrics }, { attempt, prepared, round }, new AbortController().signal),
    ).toBe("next");
    expect(round.batch).toBe(Math.min(2_000, batch * 2));
  }
});
