import type { Preview, PreviewRequest } from "../delivery/plan-preview.ts";
import type { Artifact, Run, Source } from "../model/build.ts";
import { GitspanError } from "../model/errors.ts";
import { formatImageReference, type ImageReference, isDigest, parseImageReference } from "../model/image.ts";
import { readReport } from "./build-input.ts";
import type { Io } from "./io.ts";
import { isObject } from "./wire.ts";

/** Images from flags, or the whole build from a file (`-`: standard input), as `gitspan send` takes it. Throws `usage`. */
export async function readPlanRequest(
  io: Io,
  input: { file?: string | undefined; image?: string[] | undefined; target?: string[] | undefined },
): Promise<Omit<PreviewRequest, "sees">> {
  const { file, image = [], target } = input;
  if ((file === undefined) === (image.length === 0)) {
    throw new GitspanError("usage", "a plan needs either images or a file with the build", {
      hint: "Example: gitspan plan --config gitspan.yaml --image registry.example.com/app:1.2",
    });
  }
  const build =
    file === undefined ? { images: image.map((text) => ({ image: text })) } : await readReport(io, file, {});
  return { ...partsOf(build), ...(target === undefined ? {} : { targets: target }) };
}

/** Something would be written, or could not be. */
export function changesSomething({ targets }: Preview): boolean {
  return targets.some(({ diff, refusal }) => diff !== "" || refusal !== undefined);
}

/** Only what a plan is worked out from; a server checks a build more strictly. */
function partsOf(build: unknown): Pick<PreviewRequest, "artifacts" | "source" | "run"> {
  const images = isObject(build) && Array.isArray(build["images"]) ? build["images"] : [];
  if (!isObject(build) || images.length === 0) throw new GitspanError("usage", "the build has no images");
  const source = sourceOf(build["source"]);
  const run = runOf(build["run"]);
  return {
    artifacts: images.map(artifactOf),
    ...(source === undefined ? {} : { source }),
    ...(run === undefined ? {} : { run }),
  };
}

function artifactOf(image: unknown): Artifact {
  const reference = textAt(image, "image") ?? textAt(image, "repository") ?? "";
  const parsed: ImageReference = usable(() => parseImageReference(reference));
  const tag = parsed.tag ?? textAt(image, "tag");
  const digest = parsed.digest ?? textAt(image, "digest");
  if (digest !== undefined && !isDigest(digest)) throw new GitspanError("usage", `"${digest}" is not a sha256 digest`);
  if (tag === undefined && digest === undefined) {
    throw new GitspanError("usage", `${formatImageReference(parsed)} needs a tag or a digest`);
  }
  const { repository } = parsed;
  const name = textAt(image, "name") ?? repository.slice(repository.lastIndexOf("/") + 1);
  return { name, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function sourceOf(value: unknown): Source | undefined {
  const [repository, commit] = [textAt(value, "repository"), textAt(value, "commit")];
  if (repository === undefined || commit === undefined) return undefined;
  const source: Source = { repository, commit };
  for (const key of ["ref", "subject", "author"] as const) {
    const text = textAt(value, key);
    if (text !== undefined) source[key] = text;
  }
  const time = Date.parse(textAt(value, "time") ?? "");
  return Number.isNaN(time) ? source : { ...source, time };
}

function runOf(value: unknown): Run | undefined {
  const [name, uid] = [textAt(value, "name"), textAt(value, "uid")];
  if (name === undefined || uid === undefined) return undefined;
  const run: Run = { kind: textAt(value, "kind") ?? "Run", name, uid };
  for (const key of ["namespace", "url"] as const) {
    const text = textAt(value, key);
    if (text !== undefined) run[key] = text;
  }
  return run;
}

function textAt(value: unknown, key: string): string | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === "string" ? found : undefined;
}

/** What a person typed wrongly is a mistake of usage. */
function usable<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof GitspanError)) throw error;
    throw new GitspanError("usage", error.message, { hint: error.hint });
  }
}
