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

export interface Wanted {
  /** What runs in a container of it. */
  name: string;
  /** The first that the engine has is taken; nothing is fetched. */
  images: readonly (string | undefined)[];
  /** The command that builds one of them here. */
  build: string;
}

export interface Chosen {
  name: string;
  /** The image, or none. */
  images: string[];
  /** Why there is none. */
  why: string | undefined;
}

/** Looks for an image to run a suite on; where there is none, a printed line says why and what to do. */
export function chooseImage({ name, images, build }: Wanted): Chosen {
  const { missing } = findDocker();
  const image = missing === undefined ? findImage(images) : undefined;
  if (image !== undefined) return { name, images: [image], why: undefined };
  const known = images.filter((one) => one !== undefined).join(", ");
  const why = missing ?? `none of the images ${known} is here; build one: ${build}`;
  if (process.env["GITSPAN_DOCKER"] === "1") throw new Error(`${name}: ${why}`);
  console.warn(`skipped: ${name}: ${why}`);
  return { name: `${name}: ${why}`, images: [], why };
}
