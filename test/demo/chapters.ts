import type { DeliveryView } from "./client.ts";
import type { Demo } from "./environment.ts";
import { apps, type DemoApp, overlayOf, WITH_SOURCE } from "./gitops-files.ts";
import { reportOf, reportOfRecordedRun } from "./tekton-run.ts";

export interface Screen {
  title(text: string): void;
  line(text: string): void;
  /** One expectation, shown with its result. */
  expect(what: string, holds: boolean): void;
}

type Chapter = (demo: Demo, screen: Screen) => Promise<void>;

const tektonRun: Chapter = async (demo, screen) => {
  const { report, name } = await reportOfRecordedRun();
  screen.title(`A real Tekton PipelineRun (${name}, recorded) reports its image`);
  const { id } = await demo.client.send(report);
  const build = await demo.client.wait(id, "done");
  for (const delivery of build.deliveries) await showWay(demo, screen, delivery.id);
  await showDiff(demo, screen, build.deliveries[0]?.commit);
  screen.expect(
    "both environments are healthy",
    build.deliveries.every((delivery) => delivery.outcome === "healthy"),
  );

  const again = await demo.client.send(report);
  screen.expect("the same run reported twice is one build", again.id === id);
};

const burst: Chapter = async (demo, screen) => {
  screen.title("38 builds at the same moment, for two environments each");
  const before = (await demo.git.log(demo.repository)).length;
  demo.git.resetStats();
  const startedAt = performance.now();
  const sent = await Promise.all(crowd().map((app) => demo.client.send(reportOf(app, "2.0.0"))));
  const acceptedMs = performance.now() - startedAt;
  await Promise.all(sent.map(({ id }) => demo.client.wait(id, "written")));
  const writtenMs = performance.now() - startedAt;
  const { kinds } = demo.git.stats();
  const commits = (await demo.git.log(demo.repository)).length - before;
  screen.line(
    `accepted in ${ms(acceptedMs)}, ${commits} commits on the remote after ${ms(writtenMs)}, in ${kinds.push} pushes`,
  );
  const done = await Promise.all(sent.map(({ id }) => demo.client.wait(id, "done")));
  const deliveries = done.flatMap((build) => build.deliveries);
  const healthy = deliveries.filter((delivery) => delivery.outcome === "healthy").length;
  screen.line(`${healthy} of ${deliveries.length} deliveries healthy after ${ms(performance.now() - startedAt)}`);
  screen.expect("one commit for each delivery", commits === deliveries.length);
  screen.expect("all healthy", healthy === deliveries.length);
};

const lostRace: Chapter = async (demo, screen) => {
  screen.title("Somebody else pushes between our reading and our push");
  const app = apps[2]!;
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held = new Promise<void>((resolve) => {
    demo.git.failNext("push", { kind: "hold", until, onHeld: resolve });
  });
  const { id } = await demo.client.send(reportOf(app, "3.0.0"));
  await held;
  const foreign = await demo.git.commit(demo.repository, { "docs/note.md": "written meanwhile\n" }, "docs: a note");
  release();
  const build = await demo.client.wait(id, "done");
  await showWay(demo, screen, build.deliveries[0]?.id ?? "");
  const log = await demo.git.log(demo.repository);
  for (const commit of log.slice(0, 3)) screen.line(`  ${commit.oid.slice(0, 8)} ${commit.message.split("\n")[0]}`);
  const oids = log.map((commit) => commit.oid);
  const ours = log.filter((commit) => build.deliveries.some((delivery) => commit.message.includes(delivery.id)));
  screen.expect("the other commit is kept, ours are on top of it", oids.indexOf(foreign) === build.deliveries.length);
  screen.expect("each delivery is in Git once", ours.length === build.deliveries.length);
  screen.expect(
    "healthy",
    build.deliveries.every((delivery) => delivery.outcome === "healthy"),
  );
};

const superseded: Chapter = async (demo, screen) => {
  screen.title("An older commit's build arrives after the newer one");
  const app = apps.find(({ name }) => name === WITH_SOURCE.name)!;
  const { source } = WITH_SOURCE;
  const old = await demo.git.createRepository(source, { "main.ts": "1\n" });
  const young = await demo.git.commit(source, { "main.ts": "2\n" }, "feat: two");
  const repository = demo.git.url(source);
  const newer = await demo.client.send(reportOf(app, "4.1.0", { repository, commit: young }));
  const older = await demo.client.send(reportOf(app, "4.0.9", { repository, commit: old }));
  const oldBuild = await demo.client.wait(older.id, "done");
  const newBuild = await demo.client.wait(newer.id, "done");
  for (const delivery of oldBuild.deliveries) screen.line(`  4.0.9 ${describe(delivery)}`);
  for (const delivery of newBuild.deliveries) screen.line(`  4.1.0 ${describe(delivery)}`);
  screen.expect(
    "the older one never reaches Git",
    oldBuild.deliveries.every((d) => d.outcome === "superseded" && !d.commit),
  );
  screen.expect(
    "the newer one is healthy",
    newBuild.deliveries.every((d) => d.outcome === "healthy"),
  );
};

const crashing: Chapter = async (demo, screen) => {
  screen.title("An image that never becomes ready");
  const { id } = await demo.client.send(reportOf(apps[4]!, "5.0.0-crash"));
  const build = await demo.client.wait(id, "done");
  await showWay(demo, screen, build.deliveries[0]?.id ?? "");
  const asExpected = build.deliveries.every((d) => d.outcome === "failed" && d.reason === "degraded");
  screen.expect("failed(degraded), although Argo CD's operation had succeeded", asExpected);
};

/** The story, in order. */
export const chapters: readonly Chapter[] = [tektonRun, burst, lostRace, superseded, crashing];

function crowd(): DemoApp[] {
  return apps.filter((_, index) => index !== 0 && index !== 4);
}

async function showWay(demo: Demo, screen: Screen, id: string): Promise<void> {
  const delivery = await demo.client.delivery(id);
  screen.line(`  ${describe(delivery)}`);
  const start = Date.parse(delivery.createdAt);
  for (const event of delivery.events ?? []) {
    screen.line(`    ${ms(Date.parse(event.at) - start).padStart(8)}  ${event.kind.padEnd(9)} ${event.message}`);
  }
}

async function showDiff(demo: Demo, screen: Screen, commit: string | undefined): Promise<void> {
  if (commit === undefined) return;
  const text = await demo.git.git(demo.repository, "show", "--stat", "--patch", "--format=%B", "--unified=1", commit);
  for (const line of text.trimEnd().split("\n")) screen.line(`  | ${line}`);
}

function describe(delivery: DeliveryView): string {
  const outcome = delivery.reason === undefined ? delivery.outcome : `${delivery.outcome}(${delivery.reason})`;
  return `${delivery.target}: ${outcome ?? delivery.phase}, ${delivery.message ?? ""}`;
}

function ms(value: number): string {
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(2)} s`;
}

/** The lines to try next. */
export function nextSteps(demo: Demo): string[] {
  const header = `-H "Authorization: Bearer $(cat ${demo.tokenFile})"`;
  const body = JSON.stringify({
    images: [{ image: `${apps[7]!.repository}:9.9.9` }],
    source: {
      repository: `https://git.example.com/shop/${apps[7]!.name}.git`,
      commit: "a".repeat(40),
      ref: "refs/heads/main",
    },
  });
  return [
    `curl -s ${header} -H 'Content-Type: application/json' -d '${body}' ${demo.bridge.address}/v1/builds`,
    `curl -s ${header} '${demo.bridge.address}/v1/deliveries?app=${apps[7]!.name}'`,
    `curl -s '${demo.bridge.address}/readyz?verbose'`,
    `git -C ${demo.git.dir(demo.repository)} log -3 -p -- ${overlayOf(apps[7]!.name, "dev")}`,
  ];
}
