import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signBody } from "../../src/config/signatures.ts";
import { EventReader } from "../http/event-reader.ts";
import { IMAGE, OVERLAY, openSecretSite, REPOSITORY, type SecretSite } from "./secret-site.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;

interface Delivery {
  id: string;
  outcome?: string;
  commit?: string;
}
interface Build {
  id: string;
  done: boolean;
  deliveries: Delivery[];
}

let site: SecretSite;
/** Everything that the bridge has answered. */
const answers: string[] = [];

async function call(path: string, init: RequestInit = {}, token = site.secrets.token): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
  const response = await fetch(`${site.bridge.address}${path}`, { ...init, headers });
  answers.push(JSON.stringify([...response.headers]), await response.clone().text());
  return response;
}

/** Each version's run ends later than the one before, and after the bridge has first heard of its target. */
function reportOf(version: string): string {
  const number = version[0] ?? "";
  const finishedAt = new Date(Date.now() + Number(number) * 10_000).toISOString();
  return JSON.stringify({
    images: [{ image: `${IMAGE}:${version}` }],
    source: { repository: "https://git.example.com/shop/web.git", commit: number.repeat(40) },
    run: { kind: "PipelineRun", name: `web-${version}`, uid: version, finishedAt },
  });
}

async function deliver(version: string): Promise<Build> {
  const body = reportOf(version);
  const headers = { "content-type": "application/json", traceparent: TRACEPARENT };
  const response = await call("/v1/builds", { method: "POST", body, headers });
  return (await response.json()) as Build;
}

async function sendSigned(body: string, secret: string): Promise<number> {
  const headers = {
    "content-type": "application/json",
    "gitspan-key": "ci",
    "gitspan-signature": signBody(secret, Buffer.from(body), Date.now()),
  };
  const response = await fetch(`${site.bridge.address}/v1/builds`, { method: "POST", body, headers });
  answers.push(await response.text());
  return response.status;
}

async function whenDone({ id }: Build): Promise<Delivery> {
  for (;;) {
    const build = (await (await call(`/v1/builds/${id}?wait=30s`)).json()) as Build;
    if (build.done) return build.deliveries[0]!;
  }
}

const seen: Delivery[] = [];
const statuses: number[] = [];
/** What readiness said while the git server refused us. */
let troubled: unknown;

beforeAll(async () => {
  site = await openSecretSite();
  const { bridge, secrets } = site;
  const stream = await EventReader.open(`${bridge.address}/v1/stream`, {
    authorization: `Bearer ${secrets.token}`,
    "last-event-id": "0",
  });

  seen.push(await whenDone(await deliver("1.0.1")));

  const second = reportOf("2.0.0");
  for (const secret of [secrets.wrongSignature, secrets.oldSignature, secrets.newSignature]) {
    statuses.push(await sendSigned(second, secret));
  }
  statuses.push((await call("/v1/deliveries", {}, secrets.wrongToken)).status);
  statuses.push((await call(`/v1/deliveries?app=${secrets.wrongToken}`)).status);

  await site.rotate("git", secrets.wrongGit);
  await deliver("3.0.0");
  await site.whenLogged(/git-auth/);
  troubled = await (await call("/readyz?verbose")).json();
  await site.rotate("git", secrets.git);
  await site.rotate("argocd", secrets.wrongArgocd);
  // A lane that was refused rests for half a minute; a newer build wakes it.
  const fourth = await deliver("4.0.0");
  await site.whenLogged(/Argo CD refused or missed a refresh/);
  await site.rotate("argocd", secrets.argocd);
  seen.push(await whenDone(fourth));

  for (const path of ["/readyz?verbose", "/openapi.json", "/v1/deliveries", "/v1/targets", "/v1/holds"])
    await call(path);
  for (const { id } of seen) await call(`/v1/deliveries/${id}`);
  for (let event = await stream.next(); event !== undefined; event = await stream.next()) {
    answers.push(event.data);
    if (event.data.includes('"kind":"done"') && event.data.includes(seen[1]!.id)) break;
  }
  stream.close();
}, 120_000);
afterAll(() => site.close());

describe("a bridge that has delivered, and failed at it, at debug level", () => {
  it("has delivered, and refused whom it does not know", () => {
    expect(statuses).toEqual([401, 202, 200, 401, 200]);
    expect(seen).toMatchObject([{ outcome: "healthy" }, { outcome: "healthy" }]);
    expect(answers.length).toBeGreaterThan(20);
  });

  it("stays ready while a lane cannot be written, and says which", () => {
    expect(troubled).toMatchObject({
      status: "ready",
      checks: expect.arrayContaining([
        {
          name: "lanes",
          ok: false,
          detail: "gitops@main cannot be written; see the log or the deliveries",
          advisory: true,
        },
      ]),
    });
  });

  it("shows no secret in its log, its answers, its events, its metrics or Git", async () => {
    const places = {
      log: site.log(),
      answers: answers.join("\n"),
      metrics: await (await fetch(`${site.bridge.metricsAddress}/metrics`)).text(),
      commits: JSON.stringify(await site.git.log(REPOSITORY)),
      file: await site.git.show(REPOSITORY, "main", `${OVERLAY}/kustomization.yaml`),
    };
    for (const [name, secret] of Object.entries(site.secrets)) {
      const forms = [secret, Buffer.from(`deploy-bot:${secret}`).toString("base64"), encodeURIComponent(secret)];
      for (const [place, text] of Object.entries(places)) {
        for (const form of forms) expect(text.includes(form), `${name} in ${place}`).toBe(false);
      }
    }
    // What is looked through is what it is said to be.
    expect(places.log).toContain('"level":"debug"');
    expect(places.commits).toContain("Gitspan-Delivery");
  });

  it("logs what it does for a delivery under the trace of the request that brought it, which the commit carries too", async () => {
    const lines = site.log().split("\n").filter(Boolean);
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const [first, fourth] = seen as [Delivery, Delivery];
    const of = (id: string) => parsed.filter((line) => line["delivery"] === id);
    expect(of(first.id).map((line) => line["msg"])).toEqual(["a delivery is pushed", "a delivery ended"]);
    for (const line of [...of(first.id), ...of(fourth.id)]) expect(line["traceId"]).toBe(TRACE);
    expect(parsed.find((line) => line["msg"] === "build received")).toMatchObject({ traceId: TRACE });
    const commits = await site.git.log(REPOSITORY);
    expect(commits.find(({ message }) => message.includes(first.id))?.message).toContain(`Traceparent: ${TRACEPARENT}`);
  });

  it("shows what happened in its metrics, in labels of few values", async () => {
    const page = await (await fetch(`${site.bridge.metricsAddress}/metrics`)).text();
    const value = (series: string): number =>
      Number(new RegExp(`^${series.replaceAll(/[{}"]/g, "\\$&")} (\\S+)$`, "m").exec(page)?.[1]);
    expect(value('gitspan_builds_total{result="accepted"}')).toBe(4);
    expect(value('gitspan_builds_total{result="repeat"}')).toBe(1);
    expect(value('gitspan_git_push_total{result="landed"}')).toBeGreaterThanOrEqual(2);
    expect(value('gitspan_deliveries{phase="done",outcome="healthy"}')).toBeGreaterThanOrEqual(2);
    expect(value('gitspan_deliveries{phase="ready",outcome=""}')).toBe(0);
    expect(value('gitspan_work_oldest_seconds{phase="ready"}')).toBe(0);
    expect(value("gitspan_commit_to_healthy_seconds_count")).toBeGreaterThanOrEqual(2);
    expect(value("gitspan_commit_to_healthy_seconds_sum")).toBeGreaterThan(0);
    expect(value('gitspan_stage_seconds_count{stage="write"}')).toBeGreaterThan(0);
    expect(value('gitspan_http_requests_total{route="/v1/builds",method="POST",status="401"}')).toBe(1);
    expect(value('gitspan_http_request_seconds_count{route="/v1/builds",method="POST"}')).toBe(6);
    expect(value('gitspan_argocd_watch_age_seconds{stream="argocd/main/argocd"}')).toBeLessThan(60);
    expect(page).toContain("gitspan_build_info{");
    expect(page).toContain("process_resident_memory_bytes");
    for (const word of [IMAGE, "web", seen[0]!.commit!, seen[0]!.id]) {
      expect(page.split("\n").filter((line) => line.startsWith("gitspan_") && line.includes(word))).toEqual([]);
    }
  });
});
