/** A recorded bump: a file before and after a real commit, and what the commit meant. */
export interface CorpusRow {
  id: string;
  path: string;
  flags: string[];
  intents: RecordedIntent[];
  before: string;
  after: string;
}

interface RecordedIntent {
  op: string;
  [field: string]: unknown;
}

/** One answer of `gitspan edit --batch`. */
export interface Answer {
  id: unknown;
  after?: string;
  warnings?: string[];
  error?: { code: string; message: string; line?: number; column?: number };
}

// What an editor may know: never where the value stands, nor what the old and the new text look like there.
const FIELDS: Record<string, readonly string[]> = {
  "set-image": ["op", "name", "newName", "index"],
  "set-ref": ["op", "section", "url", "oldRef", "newRef"],
  "set-value": ["op", "doc", "path", "new"],
};

export function requestOf(row: Pick<CorpusRow, "id" | "path" | "before" | "intents">) {
  return { id: row.id, path: row.path, before: row.before, intents: row.intents.map(intentOf) };
}

/** The intents that change nothing any more once the first ones were carried out. */
export function repeated(intents: readonly RecordedIntent[]): RecordedIntent[] {
  return intents.map((intent) => {
    const fields = intent["fields"] as { newName?: { new: string } } | undefined;
    return fields?.newName === undefined ? intent : { ...intent, newName: fields.newName.new };
  });
}

function intentOf(intent: RecordedIntent): Record<string, unknown> {
  const known = FIELDS[intent.op] ?? [];
  const kept = Object.entries(intent).filter(([field]) => known.includes(field));
  const fields = Object.entries((intent["fields"] ?? {}) as Record<string, { new: string }>);
  if (fields.length === 0) return Object.fromEntries(kept);
  return {
    ...Object.fromEntries(kept),
    fields: Object.fromEntries(fields.map(([key, value]) => [key, { new: value.new }])),
  };
}
