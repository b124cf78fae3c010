const SCP_LIKE = /^[\w.-]+@[\w.-]+:(?!\/)[\w./~+-]+$/;
// git check-ref-format(1): no spaces, `~^:?*[\`, "..", "@{", "//", no part that begins with a dot or ends with ".lock".
// Control characters are refused before, as in every text.
const BAD_REF = /[\s~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[./]$/;

/** A Git repository's address over HTTP(S) or SSH that carries no secret: the address is shown to everybody. */
export function isSourceRepository(text: string): boolean {
  if (SCP_LIKE.test(text)) return true;
  const url = URL.parse(text);
  if (url === null || url.hostname === "" || url.pathname.length < 2) return false;
  if (url.password !== "" || url.search !== "" || url.hash !== "") return false;
  if (url.protocol === "ssh:") return true;
  // A user name alone is where GitHub and others take tokens.
  return (url.protocol === "https:" || url.protocol === "http:") && url.username === "";
}

/** `refs/heads/main`, `refs/tags/v1.2.3` */
export function isRef(text: string): boolean {
  return /^refs\/[^/]+\/./.test(text) && !BAD_REF.test(text);
}

/** A link for people; only http(s), so that no page that shows it can be made to run `javascript:`. */
export function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  return (url.protocol === "https:" || url.protocol === "http:") && url.username === "" && url.password === "";
}
