import { resolve } from "node:path";
import { GenericContainer, Wait } from "testcontainers";

export const DEMO_USER = { username: "demo", password: "system-test-1" };

export interface Gitea {
  /** `http://localhost:port` */
  origin: string;
  close(): Promise<void>;
}

/** Gitea with the demonstration's own start script and settings (deploy/compose). */
export async function startGitea(image: string): Promise<Gitea> {
  const container = await new GenericContainer(image)
    .withEntrypoint(["/bin/sh", "/etc/gitspan-demonstration/start.sh"])
    .withEnvironment({ DEMO_PASSWORD: DEMO_USER.password })
    .withCopyDirectoriesToContainer([
      { source: resolve("deploy/compose/gitea"), target: "/etc/gitspan-demonstration", mode: 0o755 },
    ])
    .withExposedPorts(3000)
    .withWaitStrategy(Wait.forHttp("/api/healthz", 3000))
    .start();
  return {
    origin: `http://${container.getHost()}:${container.getMappedPort(3000)}`,
    close: async () => void (await container.stop()),
  };
}
