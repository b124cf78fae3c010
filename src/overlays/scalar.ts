import { Composer, isScalar, type Node, Parser, Scalar } from "yaml";

/** How one scalar is written. */
export type ScalarStyle = "plain" | "single" | "double";

/**
 * The text of a scalar as its author wrote it: a plain `1.10` is "1.10", whatever number it resolves to. `undefined` for
 * what is no scalar; "" for an empty value.
 */
export function scalarText(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return typeof node.value === "string" ? node.value : (node.source ?? "");
}

/** The style to write in where `node` stood or beside it; block scalars have none of one line. */
export function styleOf(node: Node | null): ScalarStyle | undefined {
  if (!isScalar(node)) return undefined;
  switch (node.type) {
    case Scalar.PLAIN:
      return "plain";
    case Scalar.QUOTE_SINGLE:
      return "single";
    case Scalar.QUOTE_DOUBLE:
      return "double";
    default:
      return undefined;
  }
}

/** The value in quotes where its style or its content needs them. `block`: it stands in no flow collection. */
export function writeString(value: string, style: ScalarStyle, { block = false } = {}): string {
  if (style === "single") return `'${value.replaceAll("'", "''")}'`;
  if (style === "double" || !isSafePlain(value, block)) return JSON.stringify(value);
  return value;
}

// Printable, one line, and none of the characters that some reader treats as a line break.
const WRITABLE = /^[\p{L}\p{N}\p{P}\p{S} ]*$/u;

/** False for values that no style can carry on one line. */
export function isWritable(value: string): boolean {
  return WRITABLE.test(value);
}

// Stricter than YAML asks: what is left out is quoted, which is right everywhere. Safe in flow collections too.
const PLAIN_SHAPE = /^[A-Za-z0-9_](?:[A-Za-z0-9_./@+=-]|:(?=[A-Za-z0-9_]))*$/;

// Placeholders that something fills in before YAML is read for the last time: `${REGISTRY}/app:${TAG}`.
const BLOCK_SHAPE = /^[A-Za-z0-9_$](?:[A-Za-z0-9_./@+=${}-]|:(?=[A-Za-z0-9_$]))*$/;

function isSafePlain(value: string, block: boolean): boolean {
  return (PLAIN_SHAPE.test(value) || (block && BLOCK_SHAPE.test(value))) && plainType(value) === "string";
}

// go-yaml, which kustomize and Argo CD read with, drops underscores and takes a leading 0 or an exponent without a dot
// for a number: gopkg.in/yaml.v2/resolve.go. Sexagesimal numbers are YAML 1.1.
const GO_NUMBER =
  /^[-+]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|\d+(?::[0-5]?\d)+(?:\.\d*)?)$/;

export type PlainType = "string" | "number" | "date" | "other";

/**
 * What a plain scalar of this text is: a string only if every reader agrees, YAML 1.1 and 1.2 and go-yaml, as it is not
 * ours to know who reads the file.
 */
export function plainType(text: string): PlainType {
  if (GO_NUMBER.test(text.replaceAll("_", ""))) return "number";
  const types = (["1.1", "1.2"] as const).map((version) => resolvedType(text, version));
  return types.find((type) => type !== "string") ?? "string";
}

function resolvedType(text: string, version: "1.1" | "1.2"): PlainType {
  const [document] = new Composer({ version, logLevel: "error" }).compose(new Parser().parse(text));
  const node = document?.contents;
  if (!isScalar(node) || node.type !== Scalar.PLAIN || node.source !== text) return "other";
  if (typeof node.value === "string") return "string";
  if (typeof node.value === "number" || typeof node.value === "bigint") return "number";
  return node.value instanceof Date ? "date" : "other";
}
