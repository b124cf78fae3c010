import { z } from "zod";
import { parseSelector } from "../model/selector.ts";
import { FILE_FORMATS } from "../model/target.ts";
import { checked, exactlyOne, name } from "./schema-forms.ts";
import { parseDirectory, splitPath } from "./values.ts";

/** The forms in which a target says where its images are written. */

export const directory = checked((text) => {
  if (parseDirectory(text) === undefined) return { message: "must be a folder inside the repository, without .." };
  const file = /(?:^|\/)(kustomization\.ya?ml|Kustomization)$/.exec(text)?.[1];
  return file === undefined ? undefined : { message: `must be the folder, without ${file}` };
});

const FILE_PROBLEM = {
  message: "must be a file inside the repository, without ..",
  hint: "as in apps/checkout/values-prod.yaml",
};

function isFile(text: string): boolean {
  return (parseDirectory(text) ?? "") !== "" && !text.endsWith("/");
}

export const file = checked((text) => (isFile(text) ? undefined : FILE_PROBLEM));

const SELECTOR_PROBLEM = {
  message: "must be a path to a value",
  hint: 'as in image.tag, containers[name=app].image or ["a.key"].tag',
};

const selector = checked((text) => (parseSelector(text) === undefined ? SELECTOR_PROBLEM : undefined));

const fileWithPath = checked((text) => {
  const { file: own, value } = splitPath(text);
  if (!isFile(own)) return FILE_PROBLEM;
  return value !== undefined && parseSelector(value) === undefined ? SELECTOR_PROBLEM : undefined;
});

const paths = z
  .strictObject({
    image: selector.optional(),
    registry: selector.optional(),
    repository: selector.optional(),
    tag: selector.optional(),
    digest: selector.optional(),
  })
  .refine(({ image, repository, tag, digest }) => {
    const parts = [repository, tag, digest].filter((part) => part !== undefined).length;
    return image === undefined ? (tag ?? digest) !== undefined : parts === 0;
  }, "needs either image, or tag or digest (or both) with an optional repository");

const named = (form: RegExp, message: string) => z.string().regex(form, message);

export const place = exactlyOne(
  z.strictObject({
    kustomize: directory.optional(),
    helm: file.optional(),
    raw: file.optional(),
    patch: file.optional(),
    argocd: file.optional(),
    json: file.optional(),
    flux: file.optional(),
    yaml: fileWithPath.optional(),
    add: z.literal(true).optional(),
    at: paths.optional(),
    resource: named(/^[^\s/]+\/[^\s/]+$/, "must be Kind/name, as in Deployment/checkout").optional(),
    container: z.string().min(1, "must not be empty").optional(),
    marker: named(/^[^\s:]+:[^\s:]+$/, "must be namespace:name of the ImagePolicy").optional(),
    image: name.optional(),
  }),
  ["kustomize", ...FILE_FORMATS],
)
  .refine(
    ({ kustomize, flux, at }) => at === undefined || (kustomize ?? flux) === undefined,
    "at is for files: kustomize finds images by name, flux by markers",
  )
  .refine(({ kustomize, add }) => add === undefined || kustomize !== undefined, "add is for kustomize")
  .refine(
    ({ yaml, at }) => yaml === undefined || (splitPath(yaml).value === undefined) !== (at === undefined),
    "yaml needs a path: either behind the file, as in values.yaml#image.tag, or with at",
  )
  .refine(({ flux, marker }) => (flux === undefined) === (marker === undefined), "flux and marker go together")
  .refine(
    ({ kustomize, helm, flux, resource }) => resource === undefined || (kustomize ?? helm ?? flux) === undefined,
    "resource is for files of resources",
  )
  .refine(
    ({ raw, patch, container }) => container === undefined || (raw ?? patch) !== undefined,
    "container is for raw and patch",
  )
  .refine(({ container, at }) => container === undefined || at === undefined, "needs container or at, not both");
