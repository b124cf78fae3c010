import { defineConfig } from "vitest/config";

const common = { environment: "node", hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    reporters: ["default"],
    // By default a machine with two cores runs one file at a time, and most of these wait for processes of their own.
    maxWorkers: 3,
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.integration.test.ts", "test/system/**", "**/*.e2e.test.ts"],
        },
      },
      {
        test: { ...common, name: "integration", include: ["test/**/*.integration.test.ts"], testTimeout: 60_000 },
      },
      {
        // Against a real cluster: `npm run e2e` starts it.
        test: {
          ...common,
          name: "e2e",
          include: ["test/e2e/**/*.e2e.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: { ...common, name: "system", include: ["test/system/**/*.test.ts"], testTimeout: 300_000 },
      },
    ],
  },
});
