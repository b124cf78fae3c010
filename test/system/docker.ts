/** What can be done with containers on this machine. */
import { spawnSync } from "node:child_process";

export interface Docker {
  /** Undefined when an engine answers. */
  missing: string | undefined;
}

const WHAT_TO_DO =
  "start one (Debian: apt-get install docker.io, then `dockerd` as root) and run `node test/tools/images.ts`";

/** Asks the engine; with GITSPAN_DOCKER=1 its absence is an error, with GITSPAN_DOCKER=0 it is not asked. */
export function findDocker(): Docker {
  if (process.env["GITSPAN_DOCKER"] === "0") return { missing: "GITSPAN_DOCKER=0" };
  const { status, error, stderr } = spawnSync("docker", ["info", "--format", "{{.ServerVersion}}"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  if (status === 0 && !stderr.includes("Cannot connect")) return { missing: undefined };
  const why = error?.message ?? stderr.trim().split("\n").at(-1) ?? "";
  const missing = `no Docker engine answers (${why}); ${WHAT_TO_DO}`;
  if (process.env["GITSPAN_DOCKER"] === "1") throw new Error(missing);
  return { missing };
}

/** The first of these images that the engine has. */
export function findImage(names: readonly (string | undefined)[]): string | undefined {
  return names.find((name) => name !== undefined && spawnSync("docker", ["image", "inspect", name]).status === 0);
}

/** A reason not to run a suite, or undefined: an engine and one of the images are there. */
export function chooseImage(
  names: readonly (string | undefined)[],
  build: string,
): { image: string; why: undefined } | { image: undefined; why: string } {
  const { missing } = findDocker();
  if (missing !== undefined) return { image: undefined, why: missing };
  const image = findImage(names);
  if (image !== undefined) return { image, why: undefined };
  const why = `none of the images ${names.filter((name) => name !== undefined).join(", ")} is here; ${build}`;
  if (process.env["GITSPAN_DOCKER"] === "1") throw new Error(why);
  return { image: undefined, why };
}
