/** A process that opens an embedded database, says so, and closes it when its standard input ends. */

import { isGitspanError } from "../../../src/model/errors.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { databaseDeps } from "../../fakes/database.ts";

const [directory, mode] = process.argv.slice(2);
try {
  const database = await openDatabase(databaseDeps, {
    embedded: directory!,
    mode: mode === "attach" ? "attach" : "serve",
  });
  await database.ping();
  process.stdout.write("open\n");
  for await (const _chunk of process.stdin);
  await database.close();
  process.stdout.write("closed\n");
} catch (error) {
  process.stdout.write(`${isGitspanError(error) ? `${error.code}: ${error.message} ${error.hint}` : String(error)}\n`);
}
