/** `npm run docs`: writes the generated parts of the documentation. */
import { readFileSync, writeFileSync } from "node:fs";
import { CONFIGURATION_PAGE, withTables } from "./configuration-tables.ts";

writeFileSync(CONFIGURATION_PAGE, withTables(readFileSync(CONFIGURATION_PAGE, "utf8")));
