import { z } from "zod";
import { GitspanError } from "../model/errors.ts";
import { locateImage } from "../model/image-location.ts";

export type RegistryCredentials =
  | { kind: "basic"; username: string; password: string }
  /** What `docker login` leaves of an OAuth login: exchanged for a token at the realm. */
  | { kind: "identity"; token: string };

const entry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const dockerConfig = z.object({
  auths: z.record(z.string(), entry).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});

/**
 * The credentials of a registry in a file as `docker login` or a Kubernetes Secret of type `dockerconfigjson` has it;
 * undefined when it has none. Throws `config-invalid` without quoting the file.
 */
export function dockerCredentials(text: string, host: string): RegistryCredentials | undefined {
  const parsed = dockerConfig.safeParse(jsonOf(text));
  if (!parsed.success) throw invalid("it is no docker configuration (JSON with `auths`)");
  const { auths = {}, credsStore, credHelpers = {} } = parsed.data;
  const found = Object.entries(auths).find(([name]) => hostOf(name) === host)?.[1];
  const credentials = found && credentialsOf(found);
  if (credentials !== undefined) return credentials;
  const helper = Object.entries(credHelpers).find(([name]) => hostOf(name) === host)?.[1] ?? credsStore;
  if (helper !== undefined) throw invalid(`it keeps the password of ${host} in the helper ${JSON.stringify(helper)}`);
  return undefined;
}

function credentialsOf({ auth, username, password, identitytoken }: z.infer<typeof entry>) {
  if (identitytoken) return { kind: "identity", token: identitytoken } as const;
  if (username && password) return { kind: "basic", username, password } as const;
  const decoded = Buffer.from(auth ?? "", "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 1) return undefined;
  return { kind: "basic", username: decoded.slice(0, colon), password: decoded.slice(colon + 1) } as const;
}

/** Keys are hosts, or addresses as `https://index.docker.io/v1/`. */
function hostOf(name: string): string {
  const bare = name.replace(/^https?:\/\//, "");
  return locateImage(`${bare.split("/")[0] ?? ""}/x`).host;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(why: string): GitspanError {
  return new GitspanError("config-invalid", `the docker configuration of a registry cannot be used: ${why}`, {
    hint: "Use a file that holds `auth` itself, or `username` with `passwordFile`.",
  });
}
