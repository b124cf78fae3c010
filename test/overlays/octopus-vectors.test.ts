import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isGitspanError } from "../../src/model/errors.ts";
import { parseImageReference } from "../../src/model/image.ts";
import { editFile } from "../../src/overlays/edit-file.ts";
import { goldenRows } from "./golden-rows.ts";

interface Vector {
  test: string;
  images: string[];
  input: string;
  expected: string;
}

/** Where we mean to differ, and why. */
const OTHERWISE: Record<string, string> = {
  UpdateImages_WithImageOnNonDefaultRegistry_UpdatesTagAndReportsImage: "the row's images are not those of its test",
  UpdateImages_WithPodUpdatesUsingCustomRegistry_ReturnsUpdatedYaml: "another registry is another image",
  UpdateImages_WithPodUpdatesUsingCustomRegistry_OnlyUpdatesCustomMatches: "another registry is another image",
  ReplacerWillMatchImageNameInsensitivelyAndReplaceWithLowerCase: "NGiNX is no name of an image",
  UpdateNodeValue_ReturnsModifiedYaml: "there is no image in it",
};

function edited({ input, images }: Vector): string {
  return images.reduce((text, image) => {
    const { repository, tag } = parseImageReference(image);
    try {
      return editFile(text, [{ op: "bump", image: repository, newTag: tag! }], "kustomization.yaml").text;
    } catch (error) {
      if (isGitspanError(error, "edit-not-found")) return text;
      throw error;
    }
  }, input);
}

const data = (text: string): unknown => parseAllDocuments(text).map((document) => document.toJS() as unknown);

test("another tool's own examples come to the values that it expects", () => {
  const vectors = goldenRows<Vector>("octopus-vectors");
  expect(vectors).toHaveLength(30);
  const differ = vectors.filter((vector) => {
    return JSON.stringify(data(edited(vector))) !== JSON.stringify(data(vector.expected));
  });
  expect(differ.map(({ test: name }) => name)).toEqual(Object.keys(OTHERWISE));
});
