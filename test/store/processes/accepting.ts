/** A process that accepts builds one after another and prints the id of each once it is acknowledged. */
import { openDatabase } from "../../../src/store/database.ts";
import { acceptInput } from "../../contracts/store-samples.ts";
import { databaseDeps } from "../../fakes/database.ts";

const [directory] = process.argv.slice(2);
const { store } = await openDatabase(databaseDeps, { embedded: directory! });
for (;;) {
  const input = acceptInput();
  await store.accept(input);
  process.stdout.write(`${input.buildId}\n`);
}
