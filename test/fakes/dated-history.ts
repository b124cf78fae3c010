import type { SourceHistory } from "../../src/delivery/ports.ts";

/** A source history in one line, in the order of the dates that builds report; a commit without one is unknown to it. */
export const datedHistory: SourceHistory = {
  async relation(a, b) {
    if (a.source.commit === b.source.commit) return "same";
    const [timeA, timeB] = [a.source.time, b.source.time];
    if (timeA === undefined || timeB === undefined || timeA === timeB) return "unknown";
    return timeA < timeB ? "ancestor" : "descendant";
  },
};
