import type { KeySection } from "./key-row.ts";

/** Of apps, and of Applications that make themselves targets. */
export const APP_DOCS: readonly KeySection[] = [
  {
    at: "apps.NAME",
    rows: [
      [
        "from.repository",
        "address of the source repository that builds must come from; scheme, user, `.git` and the host's case do not matter",
        "builds from anywhere",
      ],
      [
        "from.branches, from.tags",
        "patterns without `refs/heads/` or `refs/tags/`; `*` stands for any text, slashes included",
        "with neither: every branch and tag; with one: only those",
      ],
      [
        "buildTask",
        "the pipeline task whose results name the images, where a run's last task reports it ([tekton.md](tekton.md))",
        "`build-image`",
      ],
      ["images", "the app's images: name to repository (registry and path, without tag or digest)"],
      ["targets", "by environment, see below; `{env}` stands for each one that has no entry of its own"],
    ],
  },
  {
    at: "apps.NAME.targets.ENVIRONMENT",
    rows: [
      [
        "kustomize",
        "folder of the kustomization whose `images` are written, inside the repository; `.` is its root",
        "one of the three",
      ],
      ["helm", "values file in which the images are found and written", "one of the three"],
      ["files", "several of these, or ones that need more words: see below", "one of the three"],
      ["repository", "name of the repository", "the only one there is"],
      ["branch", "the branch that is written", "the repository's"],
      [
        "applications",
        "the Argo CD Applications that run it, as `argocd-name/namespace/name`",
        "found by repository and path",
      ],
      [
        "success.atLeast",
        "so many of them have to be healthy; the delivery fails when too many have failed for that. Where fewer are known it stays `blocked`",
        "all",
      ],
      [
        "digestPolicy",
        "what is written of a build that has both: `tag+digest`, `tag` or `digest`; what is not written must not stay",
        "`tag+digest`",
      ],
      ["expireAfter", "as in the environment, for this target alone", "the environment's"],
    ],
  },
  {
    at: "apps.NAME.targets.ENVIRONMENT.files[]",
    rows: [
      ["kustomize", "as above", "one of the eight"],
      ["helm", "as above", "one of the eight"],
      ["add", "`true`: an image without an entry in `images` of the kustomization gets one", "it is refused"],
      ["raw", "file of resources of any kind", "one of the eight"],
      ["patch", "file of a kustomize patch, or a kustomization with patches in it", "one of the eight"],
      ["argocd", "file of an Application or ApplicationSet, or `.argocd-source-*.yaml`", "one of the eight"],
      ["json", "JSON file, such as one of a git generator", "one of the eight"],
      ["flux", "file with Flux's marker comments", "one of the eight"],
      [
        "yaml",
        "any YAML file with the path of one value behind it, as `values.yaml#image.tag`, or with `at`",
        "one of the eight",
      ],
      ["resource", "only in this resource, as `Deployment/checkout`", "anywhere in the file"],
      ["container", "for `raw` and `patch`: only the container of this name", "every value"],
      [
        "marker",
        "for `flux`: the ImagePolicy that the markers name, as `flux-system:checkout`",
        "required with `flux`",
      ],
      ["image", "name of the one image that is written here", "every image of the app"],
      [
        "at.image",
        "path of a value that holds the whole reference, as `web.image`",
        "found by what stands in the file",
      ],
      ["at.repository, at.registry", "paths of the values with these parts of the name", "not written"],
      ["at.tag, at.digest", "paths of the values with these; one of them unless there is `at.image`", "not written"],
    ],
  },
  {
    at: "annotated[]",
    rows: [
      ["projects", "AppProjects whose Applications may; `*` stands for any text, as in `team-a-*`"],
      ["environments", "names of environments that they may be in"],
      ["repositories", "names of repositories that they may have written", "all"],
      [
        "paths",
        "files that they may have written, from the repository's root; `*` stands for any text, slashes included",
      ],
      [
        "from.repository",
        "address of the source repository that builds must come from; `/*` at its end stands for all below it",
      ],
      ["from.branches, from.tags", "as for an app", "with neither: every branch and tag; with one: only those"],
    ],
  },
];
