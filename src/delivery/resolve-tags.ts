import type { Artifact, BuildReport } from "../model/build.ts";
import type { Trust } from "./ports.ts";

/**
 * The report with the digests that its tags name now, for those of the wanted repositories whose registry is configured;
 * `missing` has the repositories whose tag is not there. Rejects when a registry does not answer.
 */
export async function withDigests(
  trust: Pick<Trust, "covers" | "digestOf">,
  { report, wanted }: { report: BuildReport; wanted: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<{ report: BuildReport; missing: ReadonlySet<string> }> {
  const missing = new Set<string>();
  const artifacts = await Promise.all(
    report.artifacts.map(async (artifact): Promise<Artifact> => {
      const { repository, tag, digest } = artifact;
      if (digest !== undefined || tag === undefined) return artifact;
      if (!wanted.has(repository) || !trust.covers(repository)) return artifact;
      const found = await trust.digestOf({ repository, tag }, signal);
      if (found !== undefined) return { ...artifact, digest: found, resolved: true };
      missing.add(repository);
      return artifact;
    }),
  );
  return { report: { ...report, artifacts }, missing };
}
