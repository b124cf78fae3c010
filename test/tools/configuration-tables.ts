import { configurationJsonSchema, isRequired, pathOf } from "../../src/config/json-schema.ts";
import { KEY_DOCS } from "../../src/config/key-docs.ts";
import type { KeySection } from "../../src/config/key-row.ts";

export const CONFIGURATION_PAGE = new URL("../../docs/configuration.md", import.meta.url);

const BLOCK = /(<!-- keys: (.+?) -->\n)[\s\S]*?(<!-- \/keys -->)/g;

/** The page with its tables made anew; throws when it has a table for a section that is not there. */
export function withTables(page: string): string {
  return page.replaceAll(BLOCK, (_block, start: string, at: string, end: string) => {
    const section = KEY_DOCS.find((one) => one.at === at || (one.at === "" && at === "top level"));
    if (section === undefined) throw new Error(`src/config/key-docs.ts has no section "${at}"`);
    return `${start}${tableOf(section)}${end}`;
  });
}

/** Sections that the page has a table for. */
export function tablesOf(page: string): string[] {
  return [...page.matchAll(BLOCK)].map(([, , at = ""]) => (at === "top level" ? "" : at));
}

function tableOf({ at, rows }: KeySection): string {
  const schema = configurationJsonSchema();
  const lines = rows.map(([keys, text, absent]) => {
    const required = keys.split(", ").some((key) => isRequired(schema, pathOf(at, key)));
    const names = keys.split(", ").map((key) => `\`${key}\``);
    return `| ${names.join(", ")} | ${text} | ${absent ?? (required ? "required" : "")} |\n`;
  });
  return `| key | value | default |\n|---|---|---|\n${lines.join("")}`;
}
