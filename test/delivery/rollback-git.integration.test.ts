import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Digest } from "../../src/model/image.ts";
import { runGit } from "../fakes/bare-repository.ts";
import { seededRandom } from "../simulation/virtual-time.ts";
import { BRANCH, type House, makeHouse, pathOf, repositoryOf, targetOf } from "./house.ts";

const SEEDS = Number(process.env["GITSPAN_SEEDS"] ?? 60);
const FILE = "kustomization.yaml";
const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "core.autocrlf=false"];
const target = targetOf("checkout", {
  images: ["checkout", "worker"].map((name) => ({ name, repository: repositoryOf(name) })),
});

/** A rollback, and what real `git revert` makes of the same commits; undefined where that conflicts. */
interface Compared {
  ours: string | undefined;
  git: string | undefined;
  undone: number;
}

describe("a rollback beside `git revert` of the commits that it names", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gitspan-revert-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(`is equal to it wherever that applies cleanly, over ${SEEDS} histories with other people's changes between`, async () => {
    let clean = 0;
    let several = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const compared = await compare(join(folder, String(seed)), seed);
      if (compared?.git === undefined) continue;
      expect(compared.ours, `seed ${seed}`).toBe(compared.git);
      clean++;
      if (compared.undone > 1) several++;
    }
    // Otherwise the histories are too wild to prove anything.
    expect(clean).toBeGreaterThan(SEEDS / 3);
    expect(several).toBeGreaterThan(SEEDS / 10);
  });
});

async function compare(dir: string, seed: number): Promise<Compared | undefined> {
  const random = seededRandom(seed);
  const house = makeHouse({ targets: [target] });
  house.git.commit(BRANCH, { [pathOf(target)]: firstText(random) }, "layout");
  await house.healthy(buildOf(random, 0));
  const steps = 2 + Math.floor(random.next() * 5);
  for (let step = 1; step <= steps; step++) {
    if (random.next() < 0.5 || step === steps) await house.written(buildOf(random, step));
    else foreignChange(house, random);
    await house.write();
  }
  if (random.next() < 0.4) foreignChange(house, random, { values: false });
  await house.write();
  if ((await house.targetState())?.overridden !== undefined) return undefined;
  const before = house.git.log(BRANCH).toReversed();
  const rollback = await house.rolledBack(target.id);
  const undoes = await Promise.all(rollback.rollback!.undoes.map((id) => house.store.delivery(id)));
  const commits = undoes.map((one) => one!.commit!);
  return { ours: house.fileOf(), git: await revertWithGit(dir, { house, before, commits }), undone: commits.length };
}

/** The same history made again by git itself, and then reverted by it. */
async function revertWithGit(
  dir: string,
  { house, before, commits }: { house: House; before: { oid: string }[]; commits: string[] },
): Promise<string | undefined> {
  await runGit(["init", "--quiet", "--initial-branch=main", dir]);
  const parts: (string | Uint8Array)[] = [];
  for (const [index, { oid }] of before.entries()) {
    const bytes = (await house.git.readFiles(oid, [pathOf(target)], new AbortController().signal)).get(pathOf(target));
    parts.push(
      `commit refs/heads/main\nmark :${index + 1}\ncommitter Ada <ada@example.com> ${index} +0000\ndata 1\nc\n`,
    );
    parts.push(`M 100644 inline ${FILE}\ndata ${bytes?.length}\n`, bytes ?? "", "\n");
  }
  const input = Buffer.concat(parts.map((part) => Buffer.from(part)));
  await runGit(["fast-import", "--quiet", "--export-marks=marks"], { cwd: dir, input });
  await runGit([...who, "reset", "--quiet", "--hard", "main"], { cwd: dir });
  const marks = new Map(
    (await readFile(join(dir, "marks"), "utf8")).split("\n").map((line) => line.split(" ") as [string, string]),
  );
  const named = commits.map((oid) => marks.get(`:${before.findIndex((one) => one.oid === oid) + 1}`) ?? "");
  const isClean = await runGit([...who, "revert", "--no-commit", ...named], { cwd: dir }).then(
    () => true,
    () => false,
  );
  return isClean ? await readFile(join(dir, FILE), "utf8") : undefined;
}

type Random = ReturnType<typeof seededRandom>;

function buildOf(random: Random, step: number) {
  const apps = random.next() < 0.6 ? ["checkout", "worker"] : [random.next() < 0.5 ? "checkout" : "worker"];
  const digest: Digest | undefined = random.next() < 0.5 ? `sha256:${String(step).repeat(64)}` : undefined;
  return { tag: `2.${step}`, apps: step === 0 ? ["checkout", "worker"] : apps, ...(digest && { digest }) };
}

function firstText(random: Random): string {
  const gap = random.next() < 0.5 ? "" : "  # the other one\n  # is below\n  # this line\n";
  const quote = random.next() < 0.5 ? '"' : "'";
  const comment = random.next() < 0.5 ? " # set by robots" : "";
  const entries = target.images.map(
    ({ repository }) => `  - name: ${repository}\n    newTag: ${quote}1.0${quote}${comment}\n`,
  );
  const text = `resources:\n  - ../base\n# images\nimages:\n${entries.join(gap)}# end\npatches: []\n`;
  return random.next() < 0.2 ? text.replaceAll("\n", "\r\n") : text;
}

/** A line more somewhere, a comment at a value, or another value. */
function foreignChange(house: House, random: Random, { values = true } = {}): void {
  const text = house.fileOf() ?? "";
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split(eol);
  const at = Math.floor(random.next() * lines.length);
  const kind = random.next();
  if (kind < 0.5 || !values) lines.splice(at, 0, `# note ${Math.floor(random.next() * 100)}`);
  else if (kind < 0.7) lines[at] = lines[at]!.startsWith("#") ? "# changed" : lines[at]!;
  else {
    const line = lines.findIndex((one, index) => index >= at && one.includes("newTag: "));
    if (line >= 0) lines[line] = '    newTag: "9.9-hotfix"';
  }
  house.git.commit(BRANCH, { [pathOf(target)]: lines.join(eol) }, "by hand");
}
