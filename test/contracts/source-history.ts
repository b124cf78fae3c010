/** What every SourceHistory does, whatever it is made of. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SourceHistory } from "../../src/delivery/ports.ts";
import type { Build } from "../../src/model/build.ts";

export interface HistorySubject {
  history: SourceHistory;
  /** Builds of three commits in one line, oldest first. */
  line: [Build, Build, Build];
  /** A build of a commit that the history knows nothing of. */
  stranger: Build;
  close(): Promise<void>;
}

const { signal } = new AbortController();

export function sourceHistoryContract(name: string, makeSubject: () => Promise<HistorySubject>): void {
  describe(`${name} as a SourceHistory`, () => {
    let subject: HistorySubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("knows ancestors and descendants, near and far", async () => {
      const [one, two, three] = subject.line;
      expect(await subject.history.relation(one, two, signal)).toBe("ancestor");
      expect(await subject.history.relation(one, three, signal)).toBe("ancestor");
      expect(await subject.history.relation(three, two, signal)).toBe("descendant");
      expect(await subject.history.relation(one, two, signal)).toBe("ancestor");
    });

    it("says that two builds of one commit are of one commit", async () => {
      const [one] = subject.line;
      expect(await subject.history.relation(one, { ...one, id: "another" }, signal)).toBe("same");
    });

    it("orders nothing that it does not know", async () => {
      const [one] = subject.line;
      expect(["unknown", "unrelated"]).toContain(await subject.history.relation(one, subject.stranger, signal));
      expect(["unknown", "unrelated"]).toContain(await subject.history.relation(subject.stranger, one, signal));
    });
  });
}
