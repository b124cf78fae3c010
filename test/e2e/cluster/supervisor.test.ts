import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";

const root = mkdtempSync(path.join(tmpdir(), "gitspan-e2e-test-"));
vi.stubEnv("GITSPAN_E2E_ROOT", root);
const { isUp, recorded, start, stop, waitFor } = await import("./supervisor.ts");
const { stateFile } = await import("./places.ts");
const { withLock } = await import("./lock.ts");
const { identity } = await import("./processes.ts");

afterAll(() => {
  rmSync(root, { recursive: true });
});

describe("processes of the cluster", () => {
  it("are started once, get none of our environment, and are stopped", async () => {
    vi.stubEnv("SECRET_OF_THE_SHELL", "x");
    const program = { name: "sleeper", command: ["sh", "-c", "env; exec sleep 60"], env: { GIVEN: "yes" } };
    start(program);
    const first = readFileSync(stateFile("pid", "sleeper"), "utf8");
    await waitFor("its log", ["sleeper"], () =>
      readFileSync(stateFile("log", "sleeper.log"), "utf8").includes("GIVEN=yes"),
    );
    start(program);
    expect(readFileSync(stateFile("pid", "sleeper"), "utf8")).toBe(first);
    expect(readFileSync(stateFile("log", "sleeper.log"), "utf8")).not.toContain("SECRET_OF_THE_SHELL");
    await stop("sleeper");
    expect({ up: isUp("sleeper"), recorded: recorded() }).toEqual({ up: false, recorded: [] });
    expect(identity(Number(first.split(" ")[0]))).toBeUndefined();
  });

  it("tell the end of their log when they die", async () => {
    start({ name: "broken", command: ["sh", "-c", "echo the port is taken; exit 1"] });
    await expect(waitFor("broken", ["broken"], () => false)).rejects.toThrow(/broken died[\s\S]*the port is taken/);
    await stop("broken");
  });

  it("are not mixed up with a process that was given the same number", async () => {
    writeFileSync(stateFile("pid", "other"), `${process.pid} 1`);
    expect(isUp("other")).toBe(false);
    await stop("other");
    expect(recorded()).toEqual([]);
  });

  it("end a wait that takes too long with what was waited for and why it was not so", async () => {
    const refuse = () => {
      throw new Error("connection refused");
    };
    await expect(waitFor("the registry", [], refuse, 0)).rejects.toThrow(
      "the registry: not so after 0 s (connection refused)",
    );
  });
});

describe("the lock of a build", () => {
  it("is held by one at a time, and taken over from a process that was killed", async () => {
    const lock = path.join(root, "lock");
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} in`);
      await new Promise((resolve) => {
        setTimeout(resolve, 30);
      });
      order.push(`${name} out`);
    };
    await Promise.all([withLock(lock, "another", work("a")), withLock(lock, "another", work("b"))]);
    expect(order).toEqual(["a in", "a out", "b in", "b out"]);
    start({ name: "holder", command: ["sleep", "60"] });
    const holder = readFileSync(stateFile("pid", "holder"), "utf8");
    await stop("holder");
    mkdirSync(lock);
    writeFileSync(path.join(lock, "owner"), holder);
    await withLock(lock, "another", work("c"));
    expect(order.slice(4)).toEqual(["c in", "c out"]);
  });
});
