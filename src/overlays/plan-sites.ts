import { GitspanError } from "../model/errors.ts";
import { assignEverywhere } from "./assign.ts";
import type { Plan } from "./carry-out.ts";
import type { ImageSite } from "./image-sites.ts";
import { planSite } from "./image-values.ts";
import type { WantedFields } from "./intents.ts";
import { keyTwice } from "./place.ts";
import type { Source } from "./source.ts";
import { onlyInText } from "./text-mentions.ts";

/** The steps that write one image at these sites. Throws `edit-ambiguous`, `edit-shared-value`, `edit-unsupported`. */
export function planSites(source: Source, sites: readonly ImageSite[], wanted: WantedFields, repository: string): Plan {
  for (const { at } of sites) if (at.twice !== undefined) throw keyTwice(at.source, at.twice);
  const plans = sites.map((site) => planSite(site, wanted));
  const { steps, warnings } = assignEverywhere(plans.flatMap(({ assignments }) => assignments));
  const all = [...steps, ...plans.flatMap(({ insertions }) => insertions)];
  if (all.length === 0 || plans.every(({ tagOnly }) => !tagOnly)) return { steps: all, warnings };
  const tagOnly = `${source.file}: ${repository} is written by its tag alone: the file has no place for a digest`;
  return { steps: all, warnings: [...warnings, tagOnly] };
}

export function siteMissing(source: Source, repository: string): GitspanError {
  const inText = onlyInText(source, repository);
  if (inText !== undefined) return inText;
  return new GitspanError("edit-not-found", `${source.file}: nothing here says which ${repository} runs`, {
    hint: "Looked for a map with the repository and a tag or digest beside it, and for a value repository:tag. Say where it stands, or add it.",
    at: { file: source.file, line: 1, column: 1 },
  });
}
