import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readConfiguration } from "../../src/config/read.ts";
import { step } from "../tools/run.ts";
import { findDocker, findImage } from "./docker.ts";

const CONFIGURATION = "deploy/compose/gitspan.yaml";
const IMAGES = {
  GITSPAN_IMAGE: "gitspan-test/gitspan",
  DEMONSTRATION_IMAGE: "gitspan-test/demonstration",
  POSTGRES_IMAGE: "gitspan-test/postgres",
  GITEA_IMAGE: "gitspan-test/gitea",
  NODE_IMAGE: "gitspan-test/node",
};
const BUILD = "node test/tools/images.ts, then node test/tools/images.ts gitea";
const PATIENCE_MS = 280_000;

const command = findCompose();
const whyNotUp = reasonNotToStart();
if (command === undefined)
  console.warn("skipped: `docker compose config`: neither docker compose nor docker-compose is here");
if (whyNotUp !== undefined) console.warn(`skipped: docker compose up: ${whyNotUp}`);

interface Service {
  image: string;
  ports?: string[];
  healthcheck?: unknown;
}

describe("docker-compose.yml", () => {
  let services: Record<string, Service>;
  beforeAll(async () => {
    const file = parse(await readFile("docker-compose.yml", "utf8")) as { services: Record<string, Service> };
    services = file.services;
  });

  it("opens ports to this machine only", () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports).toHaveLength(2);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it("lets every image be replaced", () => {
    for (const { image } of Object.values(services)) expect(image).toMatch(/^\$\{[A-Z]+_IMAGE:-[^}]+\}$/);
  });

  it("knows of every server whether it is healthy", () => {
    // gitspan's check is in its image; the seed ends.
    const without = Object.keys(services).filter((name) => services[name]?.healthcheck === undefined);
    expect(without).toEqual(["gitspan", "seed"]);
  });

  it("comes with a configuration that is valid and names its services", async () => {
    await readConfiguration(CONFIGURATION);
    const hosts = (await readFile(CONFIGURATION, "utf8")).matchAll(/http:\/\/([a-z]+):/g);
    expect(Object.keys(services)).toEqual(expect.arrayContaining([...hosts].map(([, host]) => host)));
  });

  it.skipIf(command === undefined)("is valid for the compose program of this machine", () => {
    const { status, stderr } = compose(["config", "--quiet"], {});
    expect(status, stderr).toBe(0);
  });
});

describe.skipIf(whyNotUp !== undefined)("docker compose up with images made on this machine", () => {
  const project = ["--project-name", `gitspan-system-${process.pid}`];
  let environment: Record<string, string>;
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = compose([...project, ...args], environment);
    if (status !== 0) throw new Error(`compose ${args.join(" ")}: exit ${status}\n${stderr}`);
    return stdout.trim();
  };

  beforeAll(async () => {
    const [gitspan, gitea] = [await freePort(), await freePort()];
    environment = { ...IMAGES, GITSPAN_PORT: String(gitspan), GITEA_PORT: String(gitea) };
    const built = step("images of this checkout", process.execPath, [
      "test/tools/images.ts",
      "gitspan",
      "demonstration",
    ]);
    if (!built) throw new Error("the images could not be built; see above");
    run("up", "--detach", "--no-build");
  }, PATIENCE_MS);
  afterAll(() => {
    run("down", "--volumes", "--timeout", "30");
  }, PATIENCE_MS);

  it("shows a commit in Gitea and a healthy delivery, and stops well", async () => {
    const api = `http://127.0.0.1:${environment["GITSPAN_PORT"]}`;
    const ready = async (): Promise<boolean> => (await fetch(`${api}/readyz`).catch(() => undefined))?.ok ?? false;
    await expect.poll(ready, { timeout: 60_000, interval: 250 }).toBe(true);
    const token = run(
      "exec",
      "-T",
      "gitspan",
      "gitspan",
      "token",
      "create",
      "demo",
      "--config",
      "/etc/gitspan/gitspan.yaml",
    );
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = JSON.stringify({
      images: [{ image: "registry.example.com/shop/checkout:1.1.0", digest: `sha256:${"1".repeat(64)}` }],
      source: { repository: "https://git.example.com/shop/checkout.git", commit: "c".repeat(40) },
    });
    const accepted = await fetch(`${api}/v1/builds`, { method: "POST", headers, body });
    expect(accepted.status).toBe(202);
    const done = await fetch(`${api}${accepted.headers.get("location")}?wait=1m&until=done`, { headers });
    const healthy = { phase: "done", outcome: "healthy" };
    expect(await done.json()).toMatchObject({ deliveries: [healthy, healthy] });

    const commits = `http://127.0.0.1:${environment["GITEA_PORT"]}/api/v1/repos/platform/gitops/commits`;
    const subjects = ((await (await fetch(commits)).json()) as { commit: { message: string } }[]).map(
      ({ commit }) => commit.message.split("\n")[0],
    );
    expect(subjects).toEqual(
      expect.arrayContaining(["deploy(checkout): prod 1.1.0", "deploy(checkout): staging 1.1.0"]),
    );

    const container = run("ps", "--quiet", "gitspan");
    run("stop", "gitspan");
    const state = spawnSync("docker", ["inspect", "--format", "{{.State.ExitCode}}", container], { encoding: "utf8" });
    expect(state.stdout.trim()).toBe("0");
  }, 120_000);
});

function findCompose(): string[] | undefined {
  return [["docker", "compose"], ["docker-compose"]].find(
    ([program = "", ...args]) => spawnSync(program, [...args, "version"]).status === 0,
  );
}

function reasonNotToStart(): string | undefined {
  if (command === undefined) return "neither docker compose nor docker-compose is here";
  const { missing } = findDocker();
  if (missing !== undefined) return missing;
  // gitspan's own images are built from this checkout.
  const needed = [IMAGES.NODE_IMAGE, IMAGES.POSTGRES_IMAGE, IMAGES.GITEA_IMAGE];
  const absent = needed.filter((image) => findImage([image]) === undefined);
  return absent.length === 0 ? undefined : `no image ${absent.join(", ")}; build them: ${BUILD}`;
}

function compose(args: readonly string[], environment: Record<string, string>) {
  const [program = "", ...first] = command ?? [];
  return spawnSync(program, [...first, ...args], { encoding: "utf8", env: { ...process.env, ...environment } });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}
