/**
 * A way to a value in a YAML file, as people write it: `image.tag`, `containers[name=app].image`, `hosts[0]`,
 * `global["image.tag"]` or `global.image\.tag` for a key that has a dot in it.
 */
export type SelectorStep =
  /** A key of a map; digits are an index where a list stands. */
  | string
  /** An index of a list, from 0. */
  | number
  /** The one item of a list whose `key` has that text. */
  | { key: string; value: string };

const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`;
const STEP = new RegExp(
  String.raw`(?<dot>^|\.)(?:${QUOTED}|((?:[^.[\]"\\=\s]|\\.)+))|\[(\d+)\]|\[${QUOTED}\]|\[([^[\]="\s]+)=(?:${QUOTED}|([^[\]"]*))\]`,
  "y",
);

/** The longest selector that the text begins with, and its length; `undefined` when it begins with none. */
export function readSelector(text: string): { steps: SelectorStep[]; length: number } | undefined {
  const steps: SelectorStep[] = [];
  let length = 0;
  while (true) {
    STEP.lastIndex = length;
    const match = STEP.exec(text);
    if (match === null) break;
    const [, , quoted, plain, index, quotedKey, key, quotedValue, value] = match;
    const name = quoted ?? plain ?? quotedKey;
    if (name !== undefined) steps.push(unescaped(name));
    else if (index !== undefined) steps.push(Number(index));
    else if (key !== undefined)
      steps.push({ key, value: quotedValue === undefined ? (value ?? "") : unescaped(quotedValue) });
    length = STEP.lastIndex;
  }
  return steps.length === 0 ? undefined : { steps, length };
}

/** The steps of a selector; `undefined` when the text is none. */
export function parseSelector(text: string): SelectorStep[] | undefined {
  const read = readSelector(text);
  return read?.length === text.length ? read.steps : undefined;
}

/** One spelling for selectors that mean the same: to compare them, and for messages. */
export function formatSelector(steps: readonly SelectorStep[]): string {
  return steps
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (typeof step === "object")
        return `[${step.key}=${/^[^[\]"\s]*$/.test(step.value) ? step.value : quote(step.value)}]`;
      if (!/^[^.[\]"\\=\s]+$/.test(step)) return `[${quote(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, "$1");
}
