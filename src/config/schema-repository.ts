import { z } from "zod";
import { checked, environmentVariable, exactlyOne, path } from "./schema-forms.ts";
import { isShortSsh, urlProblem } from "./values.ts";

/** How repositories are reached: what a GitOps repository has in common with one that is only read. */

export const webUrl = checked((text) => {
  const message = urlProblem(text);
  const hint = message?.includes("user name") === true ? "name the token in tokenFile or tokenEnv" : undefined;
  return message === undefined ? undefined : { message, hint };
});

const gitUrl = checked((text) =>
  text.includes("*") ? { message: "must be the address of one repository, without *" } : gitUrlProblem(text),
);
const gitUrlPattern = checked((text) => gitUrlProblem(text.replace(/\/\*$/, "/x")));

function gitUrlProblem(text: string): { message: string; hint?: string } | undefined {
  if (text.includes("*"))
    return { message: "* stands only for all that follows the last slash, as in https://git.example.com/shop/*" };
  if (isShortSsh(text)) return undefined;
  if (/^ssh:/i.test(text)) {
    const { hostname, password, pathname } = URL.canParse(text)
      ? new URL(text)
      : { hostname: "", password: "", pathname: "" };
    if (password !== "") return { message: "must not hold a password", hint: "SSH enters with a key: sshKeyFile" };
    const message = "must be an address like ssh://git@gitea.example.com/platform/gitops.git";
    return hostname === "" || pathname.length < 2 ? { message } : undefined;
  }
  const message = urlProblem(text);
  const hint = message?.includes("user name") === true ? "name the token in tokenFile or tokenEnv" : undefined;
  return message === undefined ? undefined : { message, hint };
}

const id = z.union([z.int().positive(), z.string().regex(/^[A-Za-z0-9._-]+$/, "must be an id, as GitHub shows it")]);

const auth = exactlyOne(
  z.strictObject({
    tokenFile: path.optional(),
    tokenEnv: environmentVariable.optional(),
    username: z.string().min(1, "must not be empty").optional(),
    scheme: z.enum(["basic", "bearer"]).optional(),
    sshKeyFile: path.optional(),
    knownHostsFile: path.optional(),
    passphraseFile: path.optional(),
    githubApp: z
      .strictObject({ appId: id, installationId: id, privateKeyFile: path, apiUrl: webUrl.optional() })
      .optional(),
  }),
  ["tokenFile", "tokenEnv", "sshKeyFile", "githubApp"],
);

/** Where a repository is and how it is entered. */
export const repositoryAccess = {
  url: gitUrl,
  auth: auth.optional(),
  caFile: path.optional(),
  proxy: webUrl.optional(),
};

/** A source repository, or all below an address: their commits are read, nothing else. */
export const source = z.strictObject({ ...repositoryAccess, url: gitUrlPattern });

export type RawAuth = z.infer<typeof auth>;
export interface RawAccess {
  url: string;
  auth?: RawAuth | undefined;
  caFile?: string | undefined;
  proxy?: string | undefined;
}
