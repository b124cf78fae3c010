/**
 * `node test/tools/images.ts [NAME...]`: container images made on this machine from Debian packages, npm packages and
 * Go modules, for places where no image registry is reached. Needs root, a Docker engine and mmdebstrap.
 * Names: base node postgres gitspan demonstration (the default), gitea (ten minutes the first time).
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const PACKAGES = "ca-certificates,curl,git,libstdc++6,postgresql-15";
const DOCKERFILES = "test/system/images";
const GITEA = { module: `${DOCKERFILES}/gitea`, program: resolve(".cache/gitea/bin/gitea") };
const DEFAULT = ["base", "node", "postgres", "gitspan", "demonstration"];

const builders: Record<string, () => void> = { base, node, postgres, gitea, gitspan, demonstration };
const names = process.argv.slice(2);
for (const name of names.length === 0 ? DEFAULT : names) {
  const build = builders[name];
  if (build === undefined) throw new Error(`no image ${name}; there are: ${Object.keys(builders).join(" ")}`);
  process.stdout.write(`\n> gitspan-test/${name}\n`);
  build();
}

/** A minimal Debian with everything that the other images need of it. */
function base(): void {
  withFolder((folder) => {
    const archive = join(folder, "base.tar");
    run("mmdebstrap", "--mode=root", "--variant=minbase", `--include=${PACKAGES}`, "bookworm", archive);
    run("docker", "import", archive, "gitspan-test/base");
  });
}

function node(): void {
  withFolder((folder) => {
    copyFileSync(process.execPath, join(folder, "node"));
    chmodSync(join(folder, "node"), 0o755);
    cpSync(npmFolder(), join(folder, "npm"), { recursive: true, dereference: true });
    copyFileSync("/etc/ssl/certs/ca-certificates.crt", join(folder, "ca-certificates.crt"));
    build("node", folder);
  });
}

function postgres(): void {
  build("postgres", `${DOCKERFILES}/postgres`);
}

function gitea(): void {
  if (!existsSync(GITEA.program)) buildGitea();
  withFolder((folder) => {
    copyFileSync(GITEA.program, join(folder, "gitea"));
    chmodSync(join(folder, "gitea"), 0o755);
    const source = output("go", ["list", "-m", "-f", "{{.Dir}}", "code.gitea.io/gitea"], GITEA.module);
    for (const part of ["options", "public", "templates"]) {
      run("cp", "-r", "--no-preserve=mode", join(source, part), join(mkdirs(folder, "static"), part));
    }
    build("gitea", folder);
  });
}

/** One program without any library, so that it runs in whatever image. */
function buildGitea(): void {
  const flags = ["-trimpath", "-tags", "sqlite sqlite_unlock_notify osusergo netgo"];
  const link = ["-ldflags", '-s -w -linkmode external -extldflags "-static"'];
  const env = { ...process.env, CGO_ENABLED: "1", GOBIN: mkdirs(dirname(GITEA.program)) };
  runIn(GITEA.module, env, "go", "install", ...flags, ...link, "tool");
}

function gitspan(): void {
  release("gitspan");
}

function demonstration(): void {
  release("demonstration");
}

/** A stage of this project's Dockerfile; npm fetches packages over the machine's own network. */
function release(target: string): void {
  const base = ["--build-arg", "NODE_IMAGE=gitspan-test/node"];
  dockerBuild("--network", "host", ...base, "--target", target, "--tag", `gitspan-test/${target}`, ".");
}

function build(name: string, context: string): void {
  dockerBuild("--file", `${DOCKERFILES}/${name}/Dockerfile`, "--tag", `gitspan-test/${name}`, context);
}

/** The classic builder: it knows the engine's own images without a registry, and is there without a plugin. */
function dockerBuild(...args: string[]): void {
  runIn(".", { ...process.env, DOCKER_BUILDKIT: "0" }, "docker", "build", ...args);
}

function npmFolder(): string {
  const program = realpathSync(output("sh", ["-c", "command -v npm"]));
  return dirname(dirname(program));
}

function withFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "gitspan-image-"));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mkdirs(...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

function run(command: string, ...args: string[]): void {
  runIn(".", process.env, command, ...args);
}

function runIn(cwd: string, env: NodeJS.ProcessEnv, command: string, ...args: string[]): void {
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args[0] ?? ""} failed: ${error?.message ?? `exit ${status}`}`);
}

function output(command: string, args: string[], cwd = "."): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args[0] ?? ""} failed: ${error?.message ?? stderr}`);
  return stdout.trim();
}
