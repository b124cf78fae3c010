import { APP_DOCS } from "./key-docs-apps.ts";
import { CI_KEY_DOCS } from "./key-docs-ci.ts";
import { TRUST_DOCS } from "./key-docs-trust.ts";
import { CA, type KeyRow, type KeySection } from "./key-row.ts";

const ACCESS: readonly KeyRow[] = [
  ["auth.tokenFile, auth.tokenEnv", "secret: the token or password", "one of the four, or no authentication"],
  ["auth.username", "the user name that goes with it", "`oauth2`"],
  ["auth.scheme", "`basic`, or `bearer` for servers that want the token so", "`basic`"],
  ["auth.sshKeyFile", "path of a private key, for `ssh://` addresses", "one of the four"],
  ["auth.knownHostsFile", "path of the known_hosts file that pins the server's keys", "required with `sshKeyFile`"],
  ["auth.passphraseFile", "secret: the passphrase of the key", "the key has none"],
  ["auth.githubApp.appId, auth.githubApp.installationId", "the GitHub App and its installation", "one of the four"],
  ["auth.githubApp.privateKeyFile", "secret: path of the App's private key (PEM)"],
  ["auth.githubApp.apiUrl", "`https://` address of the API, for GitHub Enterprise", "`https://api.github.com`"],
  CA,
  [
    "proxy",
    "`http://` or `https://` address of a proxy, without user name or password ([git.md](git.md))",
    "`HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment",
  ],
];

/**
 * What every key of the configuration means: the tables of docs/configuration.md and the descriptions of
 * `gitspan schema` are made of it. The rows follow the schema; a test finds keys that have none, or that are gone.
 */
export const KEY_DOCS: readonly KeySection[] = [
  {
    at: "",
    rows: [
      ["apiVersion", "`gitspan.dev/v1alpha1`"],
      ["kind", "`Bridge`"],
      ["listen", "`host:port` of the API; `[::1]:8484` for IPv6, port 0 lets the system choose", "`127.0.0.1:8484`"],
      ["metricsListen", "`host:port` of `/metrics`", "no metrics are served"],
      ["database", "where everything is stored, see below"],
      ["repositories", "the GitOps repositories by name, at least one"],
      [
        "argocd",
        "the Argo CD instances by name; without one, commits are written but stay `following (blocked)` until `expireAfter`",
        "none",
      ],
      [
        "sources",
        "the source repositories whose history tells which of two builds is newer, by name",
        "the later completion wins",
      ],
      ["tekton", "the clusters whose Tekton sends events, by name", "none"],
      ["registries", "the image registries that may be asked, by their host as images name it", "none is asked"],
      ["trust", "what must be proven of images, and where ([trust.md](trust.md))", "nothing"],
      ["oidc", "the other CIs whose jobs have tokens of their own, by name ([identity.md](identity.md))", "none"],
      ["environments", "the environments by name", "none"],
      ["apps", "the apps by name; `{name}` stands for every other app", "none"],
      [
        "annotated",
        "which Argo CD Applications may make themselves targets by annotation, a list of entries, see below",
        "none may",
      ],
      ["signatures", "the keys of signed requests by name; access rules name them as `signature:NAME`", "none"],
      ["access", "a list of rules", "none: nobody may do anything"],
      ["limits", "how much one caller may ask for, see below", "the defaults"],
      ["trustedProxies", "addresses and ranges (`10.0.0.0/8`) whose `X-Forwarded-For` is believed", "none"],
    ],
  },
  {
    at: "database",
    rows: [
      ["embedded", "path of the data folder of the PostgreSQL that gitspan starts itself", "one of the three"],
      ["urlEnv", "environment variable with the connection URL of a PostgreSQL >= 15", "one of the three"],
      ["urlFile", "path of a file with that URL", "one of the three"],
    ],
  },
  {
    at: "repositories.NAME",
    rows: [
      ["url", "`https://`, `http://` or `ssh://` address, or `git@host:path`; without password"],
      ["branch", "the branch that is written", "`main`"],
      ...ACCESS,
      [
        "signing.sshKeyFile",
        "secret: path of an unlocked ed25519 SSH key that signs the commits ([git.md](git.md))",
        "not signed",
      ],
      ["author.name, author.email", "author and committer of the commits", "`gitspan`, `gitspan@localhost`"],
    ],
  },
  {
    at: "sources.NAME",
    rows: [["url", "as for a repository; `/*` at its end stands for all repositories below it"], ...ACCESS],
  },
  {
    at: "argocd.NAME",
    rows: [
      [
        "kubernetes",
        "`in-cluster`, or a map with `kubeconfigFile` (path) and `context` (default: the current one)",
        "not used",
      ],
      ["kubernetes.kubeconfigFile", "path of a kubeconfig"],
      ["kubernetes.context", "its context", "the current one"],
      ["server", "`https://` address of the Argo CD API", "not used"],
      [
        "tokenFile, tokenEnv",
        "secret: the token for `server`; exactly one of the two when there is a `server`",
        "none",
      ],
      CA,
      ["namespaces", "the namespaces that hold Applications", "`[argocd]`"],
      [
        "imageAliases",
        "mirrors: a map of what Pods name to what Git says, as `mirror.internal/shop: registry.example.com/shop`",
        "none",
      ],
      [
        "refreshByAnnotation",
        "refresh by annotation, which needs the right to patch Applications, instead of by `server`",
        "`false`",
      ],
    ],
  },
  ...CI_KEY_DOCS,
  ...TRUST_DOCS,
  {
    at: "environments.NAME",
    rows: [
      ["settle", "how long everything must stay good before it counts as healthy; `0s` for not at all", "`30s`"],
      ["timeout", "how long a roll-out may take, blocked and paused time not counted", "`13m`"],
      [
        "degradedAfter",
        "how long the new version must stay degraded before it counts as failed; `0s` for at once",
        "`45s`",
      ],
      ["expireAfter", "after this a delivery that is still not done is cancelled", "`7d`"],
      [
        "rollback",
        "`automatic` takes a delivery that failed out again, back to the last healthy one ([rollback.md](rollback.md))",
        "`manual`",
      ],
      [
        "onManualRevert",
        "after a person's revert: `pin` keeps the target as it is until released; `hold-digest` holds only what was reverted and lets newer builds through ([rollback.md](rollback.md))",
        "`pin`",
      ],
    ],
  },
  ...APP_DOCS,
  {
    at: "signatures.NAME",
    rows: [
      ["secretFiles", "secrets: paths of one or two files; both are valid, so that one can follow the other", "none"],
      ["secretEnvs", "secrets: the same as environment variables; exactly one of the two keys", "none"],
    ],
  },
  {
    at: "access[]",
    rows: [
      [
        "subject",
        "`token:NAME`, `signature:NAME`, `tekton:CLUSTER/NAMESPACE`, `serviceaccount:NAMESPACE/NAME` (with several clusters `serviceaccount:CLUSTER/NAMESPACE/NAME`), `oidc:NAME:SUBJECT` (`*` stands for any text between two colons) or `group:NAME`",
      ],
      ["actions", "of `read`, `deliver`, `hold` and `rollback`"],
      ["apps", "names of apps, or `*` for all"],
      ["environments", "names of environments, or `*` for all"],
    ],
  },
  {
    at: "limits",
    rows: [
      ["buildsPerMinute", "build reports of one subject in a minute, in each replica", "`300`"],
      ["buildBytes", "size of one build report", "`262144`"],
      ["eventsPerMinute", "events of one sender of a CI system in a minute", "`6000`"],
      ["failedLoginsPerMinute", "requests of one address in a minute whose token or signature is wrong", "`60`"],
      ["streams", "open event streams of one replica", "`100`"],
    ],
  },
];
