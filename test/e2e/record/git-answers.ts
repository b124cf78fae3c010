/** What Gitea really answers to requests of the git protocol, byte for byte. */
import { execFileSync } from "node:child_process";
import { request } from "node:http";
import { giteaApi } from "../cluster/gitea-api.ts";
import { giteaTokenFile } from "../cluster/parts/gitea.ts";
import { environment, secretIn } from "../fixtures/environment.ts";
import type { GitopsRepository } from "../fixtures/gitops-repository.ts";

const NO_OBJECT = "0".repeat(40);
const UPLOAD = "git-upload-pack";
const RECEIVE = "git-receive-pack";

/** Name -> the answer as it was on the wire: status line, headers, body. Cookies are left out. */
export async function gitAnswers(repository: GitopsRepository): Promise<Map<string, Buffer>> {
  const tip = repository.tip();
  const commit = repository.git("commit-tree", "-p", tip, "-m", "recorded", `${tip}^{tree}`).trim();
  const objects = execFileSync("git", ["-C", repository.folder, "pack-objects", "--revs", "--stdout", "-q"], {
    input: `${commit}\n^${tip}\n`,
  });
  const push = (from: string) =>
    Buffer.concat([
      pkt(`${from} ${commit} refs/heads/main\0 report-status side-band-64k object-format=sha1\n`),
      FLUSH,
      objects,
    ]);
  const bot = basic("bot", secretIn(giteaTokenFile("bot")));
  const reader = basic("reader", secretIn(giteaTokenFile("reader")));
  const ask = (path: string, body?: Buffer, authorization = bot) =>
    raw(`${repository.url}/${path}`, body, authorization);
  const answers = new Map([
    ["v2-info-refs-upload", await ask(`info/refs?service=${UPLOAD}`)],
    [
      "v2-ls-refs",
      await ask(UPLOAD, Buffer.concat([pkt("command=ls-refs\n"), DELIM, pkt("ref-prefix refs/heads/main\n"), FLUSH])),
    ],
    ["v2-fetch-commit", await ask(UPLOAD, fetchOf(tip))],
    ["v2-fetch-unknown", await ask(UPLOAD, fetchOf("1".repeat(40)))],
    ["receive-wrong-token", await ask(`info/refs?service=${RECEIVE}`, undefined, basic("bot", "wrong"))],
    ["receive-read-only-user", await ask(RECEIVE, push(tip), reader)],
    ["receive-stale", await ask(RECEIVE, push(NO_OBJECT))],
  ]);
  await protect(repository, false);
  answers.set("receive-protected", await ask(RECEIVE, push(tip)));
  await protect(repository, true);
  answers.set("receive-landed", await ask(RECEIVE, push(tip)));
  answers.set("receive-lost-race", await ask(RECEIVE, push(tip)));
  return answers;
}

const FLUSH = Buffer.from("0000");
const DELIM = Buffer.from("0001");

function pkt(line: string): Buffer {
  return Buffer.from((line.length + 4).toString(16).padStart(4, "0") + line);
}

function fetchOf(commit: string): Buffer {
  const lines = [`want ${commit}\n`, "filter tree:0\n", "deepen 1\n", "done\n"].map(pkt);
  return Buffer.concat([pkt("command=fetch\n"), DELIM, ...lines, FLUSH]);
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

async function protect(repository: GitopsRepository, lift: boolean): Promise<void> {
  const access = { url: environment.gitea, token: secretIn(environment.giteaTokenFile) };
  const rules = `/repos/${repository.fullName}/branch_protections`;
  const answer = lift
    ? await giteaApi(access, "DELETE", `${rules}/main`)
    : await giteaApi(access, "POST", rules, { rule_name: "main", enable_push: false });
  if (!answer.ok) throw new Error(`Gitea: ${answer.status} ${await answer.text()}`);
}

function raw(url: string, body: Buffer | undefined, authorization: string): Promise<Buffer> {
  const service = url.includes(RECEIVE) ? RECEIVE : UPLOAD;
  const type = body === undefined ? {} : { "content-type": `application/x-${service}-request` };
  const headers = { authorization, "git-protocol": "version=2", ...type };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: body === undefined ? "GET" : "POST", headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const head = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
        for (let at = 0; at < answer.rawHeaders.length; at += 2) {
          const [name = "", value = ""] = answer.rawHeaders.slice(at, at + 2);
          if (!/^(set-cookie|transfer-encoding)$/i.test(name)) head.push(`${name}: ${value}`);
        }
        resolve(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), ...chunks]));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
