import { isIP } from "node:net";
import type { ListenAddress } from "./configuration.ts";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

/** `30s`, `10m`, `7d` in milliseconds; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  if (amount === undefined || !isUnit(unit)) return undefined;
  return Number(amount) * UNITS[unit];
}

function isUnit(text: string | undefined): text is keyof typeof UNITS {
  return text !== undefined && Object.hasOwn(UNITS, text);
}

const LISTEN = /^(?:\[(?<six>[0-9a-fA-F:]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/;
const MAX_PORT = 65_535;

/** `host:port`, `[::1]:port`; `undefined` for anything else. Port 0 lets the system choose. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const { six, host = six, port } = LISTEN.exec(text)?.groups ?? {};
  if (host === undefined || port === undefined || Number(port) > MAX_PORT) return undefined;
  return { host, port: Number(port) };
}

/** What is wrong with the address of an HTTP server, or `undefined`. The address itself is not shown: it may hold a password. */
export function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return "must be an address like https://gitea.example.com/platform/gitops.git";
  const { protocol, username, password, search, hash } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") return "must start with https:// or http://";
  if (username !== "" || password !== "") return "must not hold a user name or password";
  if (search !== "" || hash !== "") return "must have neither ? nor #";
  return undefined;
}

/** `registry.example.com`, `localhost:5000`: what stands before the first slash of an image. */
export function isRegistryHost(text: string): boolean {
  const [, host = "", port = "1"] = /^([a-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  return /^[a-z0-9[].*[a-z0-9\]]$/.test(host) && /[.:]|^localhost$/.test(text) && Number(port) <= MAX_PORT;
}

/** Git's short SSH form. */
export function isShortSsh(text: string): boolean {
  return /^[^/:@]+@[^/:]+:/.test(text);
}

/** Either of SSH's forms. */
export function isSshUrl(text: string): boolean {
  return isShortSsh(text) || /^ssh:\/\//i.test(text);
}

/** A folder inside a repository without `./` and slashes at the end ("" is the root); `undefined` when it is none. */
export function parseDirectory(text: string): string | undefined {
  const parts = text
    .split("/")
    .filter((part, index, all) => part !== "." && !(part === "" && index === all.length - 1));
  const bad = parts.some((part) => part === "" || part === ".." || part.toLowerCase() === ".git");
  return text === "" || bad || /[\\\p{Cc}]/u.test(text) ? undefined : parts.join("/");
}

/** `values.yaml#image.tag` as the file and the path in it. */
export function splitPath(text: string): { file: string; value?: string } {
  const at = text.indexOf("#");
  return at < 0 ? { file: text } : { file: text.slice(0, at), value: text.slice(at + 1) };
}

// git-check-ref-format(1), the rules that matter for one branch.
const BAD_BRANCH = /[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|(?:^|\/)\.|\.lock(?:\/|$)|^[-/]|[/.]$|^@$|^refs\/|^HEAD$/u;

export function isBranchName(text: string): boolean {
  return text !== "" && !BAD_BRANCH.test(text);
}

/** A Kubernetes name (RFC 1123 subdomain). */
export function isKubernetesName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(text);
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8` */
export function isAddressRange(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
