/** One row of the documentation: keys that belong together, what they hold, and what holds without them. */
export type KeyRow = readonly [keys: string, text: string, absent?: string];

export interface KeySection {
  /** Where in the file: `repositories.NAME`; `[]` is an item of a list. */
  at: string;
  rows: readonly KeyRow[];
}

export const CA: KeyRow = ["caFile", "path of certificates (PEM) to trust", "the system's"];
