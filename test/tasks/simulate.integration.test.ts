import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ROOT, text } from "./catalog.ts";
import { listen } from "./listener.ts";
import { publishedSignatures, type Webhook, webhooks } from "./webhooks.ts";

const SCRIPT = join(ROOT, "trigger/samples/simulate.sh");
const run = promisify(execFile);

describe("trigger/samples/simulate.sh", () => {
  let folder: string;
  let url: string;
  let seen: Webhook[];
  const server = createServer((request, response) => void take(request, response));
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
        String(value),
      ]),
    );
    seen.push({ name: "", forge: "", headers, body: await textOf(request) });
    response.writeHead(202).end('{"eventID":"12a16aef"}');
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gitspan-simulate-"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    seen = [];
  });

  async function simulate(forge: string, event: string, body: string, secret: string): Promise<Webhook> {
    const file = join(folder, "body.json");
    await writeFile(file, body);
    const { stdout } = await run(SCRIPT, [forge, event, file, url], { env: { ...process.env, SECRET: secret } });
    expect(stdout).toContain("12a16aef");
    const [request] = seen;
    if (request === undefined) throw new Error("nothing was sent");
    return request;
  }

  it.each(publishedSignatures().map((row) => ({ row, name: text(row["name"]) })))(
    "signs as was published: $name",
    async ({ row }) => {
      const { headers, body } = await simulate("github", "push", text(row["body"]), text(row["secret"]));
      expect(headers["X-Hub-Signature-256"]).toBe(row["published"]);
      expect(body).toBe(row["body"]);
    },
  );

  it.each([
    ["github", "push", "github-push", "github-push"],
    ["gitea", "push", "gitea-scm-push", "gitea-push"],
    ["gitlab", "Tag Push Hook", "gitlab-tag_create", "gitlab-tag"],
    ["bitbucket", "repo:push", "bitbucket-cloud-push", "bitbucket-cloud-push"],
    ["bitbucket", "pr:opened", "bitbucket-server-pr_open", "bitbucket-server-pull-request"],
  ])("starts as %s does with %s: %s", async (forge, event, name, trigger) => {
    const body = webhooks().find((one) => one.name === name)?.body ?? "";
    const request = await simulate(forge, event, body, "the secret");
    const secrets = Object.fromEntries(
      ["github", "gitea", "gitlab", "bitbucket-cloud", "bitbucket-server"].map((one) => [one, "the secret"]),
    );
    const started = listen(request, secrets);
    expect(started.map((one) => one.trigger)).toContain(trigger);
    expect(started[0]?.params["event"]).toMatch(/^(?:simulated-\d+|)$/);
  });

  it("says how it is used, without a secret", async () => {
    await expect(run(SCRIPT, ["github"], { env: { PATH: process.env.PATH } })).rejects.toMatchObject({ code: 2 });
  });
});
