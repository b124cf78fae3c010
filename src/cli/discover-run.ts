import { unifiedDiff } from "../model/diff.ts";
import { type GitspanError, isGitspanError } from "../model/errors.ts";
import type { ImageReference } from "../model/image.ts";
import { type DiscoveredPlace, type Discovery, discover, waysTo } from "../overlays/discover.ts";
import { editorOf } from "../overlays/editors.ts";
import { showRefusal } from "./edit-refusal.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { formatTable, printable } from "./table.ts";
import { readTree } from "./tree-files.ts";

export interface DiscoverOptions {
  images: readonly ImageReference[];
  check?: true | undefined;
  output: "diff" | "json";
}

interface Found extends DiscoveredPlace {
  /** Every way that leads there, nearest first: `resource of FILE`, `source of FILE#Application/NAME`. */
  ways: string[][];
}

/** `gitspan plan --discover`: where a clone writes images, and what would change there. */
export async function runDiscover(io: Io, folder: string, options: DiscoverOptions): Promise<ExitCode> {
  const files = await readTree(folder, io.signal);
  const asked = options.images.length === 0 ? [undefined] : options.images;
  const discoveries = asked.map((image) => ({ image, discovery: discover(files, image?.repository) }));
  const found = discoveries.flatMap(({ discovery }) => foundIn(discovery));
  const refusals: { error: GitspanError; text: string }[] = [];
  const after = new Map<string, string>();
  for (const { image, discovery } of discoveries) {
    if ((image?.tag ?? image?.digest) === undefined) continue;
    for (const place of discovery.places) refusals.push(...write(files, after, place, image));
  }
  const diffs = [...after]
    .map(([file, text]) => unifiedDiff(file, files.get(file) ?? "", text))
    .filter((diff) => diff !== "");
  if (options.output === "json") {
    io.stdout.write(
      `${JSON.stringify({ places: found, unread: discoveries[0]?.discovery.unread ?? [], diff: diffs.join("") }, null, 2)}\n`,
    );
  } else {
    io.stdout.write(found.length === 0 ? "" : comment(tableOf(found)));
    io.stdout.write(diffs.join(""));
  }
  for (const { file } of discoveries[0]?.discovery.unread ?? [])
    io.stderr.write(`gitspan: not looked into: ${printable(file)}\n`);
  for (const { error, text } of refusals) showRefusal(io, error, text, "would be refused: ");
  if (found.length === 0) io.stderr.write("gitspan: no place is for these images\n");
  return found.length === 0 || refusals.length > 0 || (options.check === true && diffs.length > 0)
    ? EXIT.failed
    : EXIT.ok;
}

function foundIn({ places, leads }: Discovery): Found[] {
  return places.map((place) => ({
    ...place,
    ways: waysTo(leads, place.file).map((way) => way.map(({ from, as }) => `${as} of ${from}`)),
  }));
}

/** Several places may be in one file: each is written on what the ones before left. */
function write(
  files: ReadonlyMap<string, string>,
  after: Map<string, string>,
  { place, file, image }: DiscoveredPlace,
  wanted: ImageReference | undefined,
): { error: GitspanError; text: string }[] {
  const before = after.get(file) ?? files.get(file) ?? "";
  try {
    const intent = { repository: image, newTag: wanted?.tag, digest: wanted?.digest };
    after.set(file, editorOf(place).edit(before, [intent], file).text);
    return [];
  } catch (error) {
    if (isGitspanError(error)) return [{ error, text: before }];
    throw error;
  }
}

function tableOf(found: readonly Found[]): string {
  const rows = found.map(({ reference, file, line, place, ways }) => [
    reference,
    `${file}:${line}`,
    place.format,
    [...new Set(ways.map((way) => way.at(-1)?.replace(/^\w+ of /, "") ?? ""))].join(", ") || "-",
  ]);
  return formatTable([["IMAGE", "PLACE", "FORMAT", "FROM"], ...rows]);
}

/** `git apply` takes what follows. */
function comment(table: string): string {
  return table.replaceAll(/^(?=.)/gm, "# ");
}
