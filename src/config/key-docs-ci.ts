import { CA, type KeySection } from "./key-row.ts";

/** The keys that are about where builds come from. */
export const CI_KEY_DOCS: readonly KeySection[] = [
  {
    at: "tekton.NAME",
    rows: [
      ["kubernetes", "as for `argocd`: where runs are read again, so that an event is only a hint", "not used"],
      ["kubernetes.kubeconfigFile", "path of a kubeconfig"],
      ["kubernetes.context", "its context", "the current one"],
      ["namespaces", "the namespaces whose runs count", "all"],
      [
        "audience",
        "for whom tokens of service accounts have to be that report their own run ([tekton.md](tekton.md))",
        "`gitspan`",
      ],
      [
        "watch",
        "a map, `{}` for all runs: PipelineRuns are followed in `kubernetes`, beside their events ([tekton.md](tekton.md#watching))",
        "only events",
      ],
      ["watch.labels", "a map of labels that a run must have", "none"],
      [
        "watch.since",
        "a time as `2026-01-31T12:00:00Z`: at the first start, runs that ended after it are taken too",
        "runs that end after the first start",
      ],
      [
        "results.url",
        "`https://` address of Tekton Results, for runs that are pruned before they were seen",
        "not used",
      ],
      [
        "results.tokenFile, results.tokenEnv",
        "secret: the token of a service account that may read records; exactly one",
      ],
      ["results.caFile", CA[1], CA[2]],
      [
        "runUrl",
        "address at which people look at a run, with `{namespace}`, `{name}` and `{uid}`, as that of Tekton's Dashboard",
        "none",
      ],
      [
        "events.trusted",
        "`true`: believe events as they are; only without `kubernetes`, and their sender has to be known",
        "`false`",
      ],
      [
        "events.pathSecretFile, events.pathSecretEnv",
        "secret: the end of the sink's path, 16 to 100 characters; one of the two",
        "none",
      ],
      ["events.basic.username", "the user name in the sink's address"],
      ["events.basic.passwordFile, events.basic.passwordEnv", "secret: its password; exactly one of the two", "none"],
    ],
  },
  {
    at: "oidc.NAME",
    rows: [
      ["issuer", "`https://` address, exactly as the tokens have it in `iss`"],
      ["audience", "what the tokens must have in `aud`", "`gitspan`"],
      [
        "algorithms",
        "the signatures that are taken: of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `Ed25519`",
        "`[RS256]`",
      ],
      [
        "jwksUri",
        "`https://` address of the issuer's public keys",
        "where its discovery document says, on its own host",
      ],
      [
        "jwksFile",
        "path of the public keys (JWKS), where the issuer cannot be reached",
        "one of the two, or discovery",
      ],
      CA,
      ["maxAge", "how long after it was made a token is taken, at most", "`1h`"],
      [
        "subject",
        "what follows `oidc:NAME:` in the subject, of the token's claims: `repo:{repository}:ref:{ref}`",
        "`{sub}`",
      ],
      [
        "source.repository, source.commit, source.ref",
        "what the token says of the source, as `https://github.com/{repository}`, `{sha}`, `{ref}`: a report that says otherwise is refused",
        "the report is believed",
      ],
    ],
  },
];
