/** The contract suites against servers in containers; where there is no engine, one skipped test says why. */
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gitRepositoryContract } from "../contracts/git-repository.ts";
import { giteaSubject } from "../contracts/gitea-subject.ts";
import { storeContract } from "../contracts/store.ts";
import { type TestDatabase, testDatabaseOn } from "../fakes/database.ts";
import { postgresSubject } from "../store/postgres-subject.ts";
import { chooseImage } from "./docker.ts";
import { DEMO_USER, type Gitea, startGitea } from "./gitea.ts";

// The helper container that removes others when a test is killed cannot be fetched where no registry is reached.
process.env["TESTCONTAINERS_RYUK_DISABLED"] ??= "true";

const PATIENCE_MS = 120_000;
const PASSWORD = "system-test";

const postgres = chooseImage({
  name: "the store contract on PostgreSQL in a container",
  images: [process.env["GITSPAN_POSTGRES_IMAGE"], "gitspan-test/postgres", "postgres:18-bookworm"],
  build: "node test/tools/images.ts",
});
const gitea = chooseImage({
  name: "the git contract on Gitea in a container",
  images: [process.env["GITSPAN_GITEA_IMAGE"], "gitspan-test/gitea", "gitea/gitea:1.26.0-rootless"],
  build: "node test/tools/images.ts base gitea",
});

it.skipIf(postgres.why !== undefined)(`there is an image: ${postgres.name}`, () =>
  expect(postgres.images).toHaveLength(1),
);
describe.each(postgres.images)("PostgreSQL in a container of %s", (image) => {
  let server: TestDatabase;
  beforeAll(async () => {
    server = await startPostgres(image);
  }, PATIENCE_MS);
  afterAll(async () => await server?.close());
  storeContract("PostgreSQL in a container", () => postgresSubject(server));
});

it.skipIf(gitea.why !== undefined)(`there is an image: ${gitea.name}`, () => expect(gitea.images).toHaveLength(1));
describe.each(gitea.images)("Gitea in a container of %s", (image) => {
  let server: Gitea;
  beforeAll(async () => {
    server = await startGitea(image);
  }, PATIENCE_MS);
  afterAll(async () => await server?.close());
  gitRepositoryContract("the engine over Gitea in a container", (seed) =>
    giteaSubject({ origin: server.origin, user: DEMO_USER }, seed),
  );
});

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
