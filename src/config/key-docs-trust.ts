import type { KeyRow, KeySection } from "./key-row.ts";

const TRUST: readonly KeyRow[] = [
  [
    "cosignKeyFiles",
    "paths of public keys (PEM, ECDSA P-256 or ed25519); a signature by any of them counts, so that one can follow another",
    "none",
  ],
  ["keyless.trustedRootFile", "path of Sigstore's `trusted_root.json`", "one of the two with `keyless`"],
  [
    "keyless.caFile",
    "path of a certificate authority of one's own (PEM): certificates count as long as they are valid",
    "one of the two with `keyless`",
  ],
  ["keyless.identities[].issuer", "who vouches for the identity, exactly"],
  ["keyless.identities[].subject", "the identity that the certificate names; `*` stands for any text"],
  ["signature", "`false`: the image itself need not be signed", "`true`"],
  [
    "provenance",
    "`pipelinerun`, `taskrun` (the PipelineRun's counts too), `any` (other builders than Tekton) or `none`",
    "`pipelinerun`",
  ],
  ["builders", "builder ids of the provenance; `*` stands for any text", "`[https://tekton.dev/chains/v2]`"],
  ["buildTypes", "build types of the provenance; `*` stands for any text", "those of Tekton Chains; with `any` all"],
  ["matchSource", "`false`: source repository and commit need not be the build's", "`true`"],
  ["matchRun", "`false`: the run need not be the build's", "`true`; with `any` `false`"],
  ["maxAge", "how long ago the build may have finished", "any time"],
  ["waitForSignature", "how long after its arrival a delivery waits for proof; `0s` for not at all", "`10m`"],
];

/** The keys about registries and proof. */
export const TRUST_DOCS: readonly KeySection[] = [
  {
    at: "registries.NAME",
    rows: [
      ["url", "`https://` address of the registry; `http://` only where it is written here", "`https://` and NAME"],
      [
        "mirrors",
        "addresses that are asked first, without credentials, for what is named by its digest; tags are asked of the registry itself",
        "none",
      ],
      ["auth.username", "the user name that goes with a password or token", "required with one"],
      ["auth.passwordFile, auth.passwordEnv", "secret: that password or token", "one of the three, or anonymous"],
      [
        "auth.dockerConfigFile",
        "secret: path of a file as `docker login` writes it (also a Secret of type `dockerconfigjson`), without helpers",
        "one of the three, or anonymous",
      ],
      [
        "tokenHosts",
        "hosts beside the registry's own that may be asked for tokens, with its credentials",
        "none; `auth.docker.io` for `docker.io`",
      ],
      ["caFile", "path of certificates (PEM) to trust beside the system's", "the system's"],
    ],
  },
  {
    at: "trust",
    rows: [["require", "names of the environments in which images must be proven"], ...TRUST],
  },
  {
    at: "environments.NAME.trust",
    rows: TRUST.map(([keys, text]) => [keys, text, "as in `trust`"]),
  },
];
