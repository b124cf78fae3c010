import { openDatabase } from "../../src/store/database.ts";
import { appName } from "../bench/bridge-place.ts";
import { databaseDeps, type TestDatabase } from "../fakes/database.ts";
import type { GitServer } from "../fakes/git-http-server.ts";

interface Sources {
  server: GitServer;
  repo: string;
  database: TestDatabase;
  databaseUrl: string;
}

interface Story {
  /** The branch before. */
  first: string;
  /** What was accepted, in the order of the builds of each application. */
  expected: readonly { app: number; tag: string }[];
  /** Commits of others that their servers called landed. */
  foreign: readonly string[];
}

/** Counts of what is wrong, and what git's own check says. */
export async function verdictOf(sources: Sources, story: Story): Promise<Record<string, number | string>> {
  const { server, repo, database, databaseUrl } = sources;
  const log = (await server.log(repo, `${story.first}..refs/heads/main`)).toReversed();
  const ours = log.flatMap(({ oid, message }) => {
    const [, delivery] = /^Gitspan-Delivery: (.+)$/m.exec(message) ?? [];
    const [, app = "", tag = ""] = /^deploy\((.+)\): dev (.+)$/m.exec(message) ?? [];
    return delivery === undefined ? [] : [{ oid, delivery, bump: `${app} ${tag}`, app }];
  });
  const times = Map.groupBy(ours, ({ bump }) => bump);
  const wanted = story.expected.map(({ app, tag }) => ({ app: appName(app), bump: `${appName(app)} ${tag}` }));
  const orders = (list: readonly { app: string; bump: string }[]) => Map.groupBy(list, ({ app }) => app);
  const real = orders(ours);
  const reordered = [...orders(wanted)].filter(
    ([app, bumps]) => bumps.map(({ bump }) => bump).join() !== (real.get(app) ?? []).map(({ bump }) => bump).join(),
  ).length;
  const onBranch = new Set(log.map(({ oid }) => oid));

  const rows = await database.run(databaseUrl, "select id, phase, commit from delivery");
  const commits = new Map(ours.map(({ delivery, oid }) => [delivery, oid]));
  const disagreeing = rows.rows.filter(({ id, commit }) => commits.get(id as string) !== commit).length;
  const open = await database.run(databaseUrl, "select count(*)::int as n from push_attempt where outcome = 'open'");
  return {
    "lost bumps": wanted.filter(({ bump }) => !times.has(bump)).length,
    "doubled bumps": [...times.values()].filter((commits) => commits.length > 1).length,
    "applications whose bumps are out of order": reordered,
    "lost foreign commits": story.foreign.filter((oid) => !onBranch.has(oid)).length,
    "commits that nobody claims": log.length - ours.length - story.foreign.length,
    "deliveries that the database tells otherwise": disagreeing + Math.abs(rows.rows.length - story.expected.length),
    "open attempts": (open.rows[0] as { n: number }).n,
    "foreign commits landed": String(story.foreign.length),
    "git fsck --strict": await server.fsck(repo).then(() => "clean"),
  };
}

export async function databaseToken(url: string, hash: string): Promise<void> {
  const opened = await openDatabase(databaseDeps, { url });
  await opened.store.createToken({ name: "ci", hash, groups: [] });
  await opened.close();
}
