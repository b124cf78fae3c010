/** The contract suites against servers in containers; where there is no engine, one skipped test says why. */
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, describe, it } from "vitest";
import { gitRepositoryContract } from "../contracts/git-repository.ts";
import { storeContract } from "../contracts/store.ts";
import { type TestDatabase, testDatabaseOn } from "../fakes/database.ts";
import { postgresSubject } from "../store/postgres-subject.ts";
import { chooseImage } from "./docker.ts";
import { type Gitea, giteaSubject, startGitea } from "./gitea.ts";

// The helper container that removes others when a test is killed cannot be fetched where no registry is reached.
process.env["TESTCONTAINERS_RYUK_DISABLED"] ??= "true";

const PATIENCE_MS = 120_000;
const BUILD = "build them: node test/tools/images.ts, and for Gitea: node test/tools/images.ts gitea";
const PASSWORD = "system-test";

const postgres = chooseImage(
  [process.env["GITSPAN_POSTGRES_IMAGE"], "gitspan-test/postgres", "postgres:18-bookworm"],
  BUILD,
);
const gitea = chooseImage(
  [process.env["GITSPAN_GITEA_IMAGE"], "gitspan-test/gitea", "gitea/gitea:1.26.0-rootless"],
  BUILD,
);

if (postgres.image === undefined) {
  console.warn(`skipped: the store contract on PostgreSQL in a container: ${postgres.why}`);
  it.skip(`the store contract on PostgreSQL in a container: ${postgres.why}`);
} else {
  const { image } = postgres;
  describe(`PostgreSQL in a container (${image})`, () => {
    let server: TestDatabase;
    beforeAll(async () => {
      server = await startPostgres(image);
    }, PATIENCE_MS);
    afterAll(async () => await server?.close());
    storeContract("PostgreSQL in a container", () => postgresSubject(server));
  });
}

if (gitea.image === undefined) {
  console.warn(`skipped: the git contract on Gitea in a container: ${gitea.why}`);
  it.skip(`the git contract on Gitea in a container: ${gitea.why}`);
} else {
  const { image } = gitea;
  describe(`Gitea in a container (${image})`, () => {
    let server: Gitea;
    beforeAll(async () => {
      server = await startGitea(image);
    }, PATIENCE_MS);
    afterAll(async () => await server?.close());
    gitRepositoryContract("the engine over Gitea in a container", (seed) => giteaSubject(server, seed));
  });
}

async function startPostgres(image: string): Promise<TestDatabase> {
  const container: StartedTestContainer = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_USER: "gitspan", POSTGRES_PASSWORD: PASSWORD, POSTGRES_DB: "gitspan" })
    .withCommand(["postgres", "-c", "fsync=off", "-c", "max_connections=200"])
    .withExposedPorts(5432)
    .withHealthCheck({
      test: ["CMD", "pg_isready", "--quiet", "--host=127.0.0.1", "--username=gitspan", "--dbname=gitspan"],
      interval: 500,
      retries: 120,
    })
    .withWaitStrategy(Wait.forHealthCheck())
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(5432)}`;
  return await testDatabaseOn(
    (database) => `postgresql://gitspan:${PASSWORD}@${address}/${database}`,
    async () => void (await container.stop()),
  );
}
