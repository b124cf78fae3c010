/** The embedded PostgreSQL as a process of its own: `node postgres-process.ts DIRECTORY CONNECTION-FILE`. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { systemAmbient } from "../../../src/ambient.ts";
import { startEmbedded } from "../../../src/store/embedded/server.ts";
import { POSTGRES_ADDRESS } from "./places.ts";

const [directory, connectionFile] = process.argv.slice(2);
if (directory === undefined || connectionFile === undefined)
  throw new Error("usage: postgres-process.ts DIRECTORY FILE");
const log = { debug: tell, info: tell, warn: tell, error: tell };
const settings = { listen_addresses: POSTGRES_ADDRESS.host };
const server = await startEmbedded({ ...systemAmbient, log }, { directory, mode: "serve", settings });
writeFileSync(connectionFile, JSON.stringify(server.connection), { mode: 0o600 });
// Neither a signal's listener nor the server's process keeps this one alive.
const alive = setInterval(() => {}, 60_000);
await once(process, "SIGTERM");
clearInterval(alive);
await server.stop();

function tell(message: string, fields?: Record<string, unknown>): void {
  console.log(message, fields ?? "");
}
