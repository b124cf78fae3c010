import type { Build } from "./build.ts";

/** How source commit A stands to source commit B. */
export type Relation = "same" | "ancestor" | "descendant" | "unrelated" | "unknown";

export interface Ordered {
  order: "older" | "newer" | "same";
  /** Set when history did not decide and completion time had to. */
  warning?: string;
}

/**
 * Whether build A is older or newer than B (protocols.md section 4): an ancestor is older; of one commit the later
 * completion wins; where history does not tell, the later completion wins and a warning says so.
 */
export function orderOf(a: Build, b: Build, relation: Relation): Ordered {
  if (a.id === b.id) return { order: "same" };
  switch (relation) {
    case "ancestor":
      return { order: "older" };
    case "descendant":
      return { order: "newer" };
    case "same":
      return { order: byCompletion(a, b) };
    case "unrelated":
    case "unknown":
      return {
        order: byCompletion(a, b),
        warning: `history does not order ${a.source.commit} and ${b.source.commit}: the later completion counts as newer`,
      };
  }
}

/** By completion, then by acceptance; ids (uuid v7) break the tie so that every replica decides alike. */
function byCompletion(a: Build, b: Build): "older" | "newer" {
  const keyA = [completion(a), a.createdAt, a.id] as const;
  const keyB = [completion(b), b.createdAt, b.id] as const;
  for (let i = 0; i < keyA.length; i++) {
    const [left, right] = [keyA[i] ?? 0, keyB[i] ?? 0];
    if (left < right) return "older";
    if (left > right) return "newer";
  }
  return "newer";
}

function completion(build: Build): number {
  return build.run?.finishedAt ?? build.createdAt;
}
