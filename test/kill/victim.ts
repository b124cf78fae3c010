/**
 * A bridge that kills itself with SIGKILL at one call of one port: `node victim.ts CONFIG "before git.push"`.
 * Without a point it runs like any bridge. Prints its address, and each call once, for the test that lists them.
 */
import { startBridge } from "../../src/bridge.ts";

const [configFile = "", killAt] = process.argv.slice(2);
const announced = new Set<string>();

function pass(point: string): void {
  if (point === killAt) process.kill(process.pid, "SIGKILL");
  if (announced.has(point)) return;
  announced.add(point);
  process.stdout.write(`point ${point}\n`);
}

/** They answer at once and ask nobody. */
const PURE = new Set(["judge", "covers"]);

function decorate<T extends object>(name: string, port: T): T {
  return new Proxy(port, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property);
      if (typeof value !== "function" || typeof property !== "string") return value;
      const method = value.bind(object) as (...args: unknown[]) => unknown;
      if (PURE.has(property)) return method;
      return async (...args: unknown[]) => {
        pass(`before ${name}.${property}`);
        const result = await method(...args);
        // Asking for work and finding none happens all the time and is no step of a delivery.
        const isIdle =
          property.startsWith("claim") && (result === undefined || (Array.isArray(result) && result.length === 0));
        if (!isIdle) pass(`after ${name}.${property}`);
        return result;
      };
    },
  });
}

const bridge = await startBridge({ configFile, decorate, leaseMs: 1_000 });
process.stdout.write(`address ${bridge.address}\n`);
process.once("SIGTERM", () => void bridge.close().then(() => process.exit(0)));
