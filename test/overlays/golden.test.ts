import { describe, expect, test } from "vitest";
import { splice } from "../../src/overlays/change.ts";
import type { SetImageIntent } from "../../src/overlays/intents.ts";
import { editKustomizeImages } from "../../src/overlays/kustomize-images.ts";
import { goldenRows } from "./golden-rows.ts";

interface Row {
  id: string;
  path: string;
  flags: string[];
  intents: SetImageIntent[];
  before: string;
  after: string;
}

describe.each([
  ["kustomize-infra-deployments", 300],
  ["kustomize-kubeflow", 188],
  ["kustomize-hard", 14],
])("%s", (name, count) => {
  const rows = goldenRows<Row>(name);

  test("every real commit is reproduced byte for byte, without a warning", () => {
    expect(rows).toHaveLength(count);
    const wrong = rows.filter((row) => {
      const result = editKustomizeImages(row.before, row.intents, row.path);
      return (
        result.text !== row.after || result.warnings.length > 0 || splice(row.before, result.changes) !== row.after
      );
    });
    expect(wrong.map((row) => [row.id, row.flags])).toEqual([]);
  });

  test("the same intents change nothing the second time", () => {
    const changed = rows.filter(({ after, intents, path }) => {
      const again = intents.map((intent) => ({ ...intent, newName: intent.fields.newName?.new ?? intent.newName }));
      return editKustomizeImages(after, again, path).changes.length > 0;
    });
    expect(changed.map((row) => row.id)).toEqual([]);
  });
});
