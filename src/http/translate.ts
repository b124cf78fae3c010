import { GitspanError } from "../model/errors.ts";

/** What the framework calls its refusals, in our words. The messages are ours: the framework's may quote the request. */
const FRAMEWORK: Readonly<Record<string, () => GitspanError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new GitspanError("payload-too-large", "the body is too large", {
      hint: "A build report has at most 256 KiB, unless limits.buildBytes of the configuration says otherwise.",
    }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new GitspanError("unsupported-media-type", "the body has to be JSON", {
      hint: "Send `Content-Type: application/json`.",
    }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new GitspanError("bad-request", "the body does not have the length that Content-Length says"),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => new GitspanError("bad-request", "the body is empty"),
  FST_ERR_CTP_INVALID_JSON_BODY: () =>
    new GitspanError("bad-request", "the body is not valid JSON, or has a forbidden key (`__proto__`)"),
  FST_ERR_BAD_URL: () => new GitspanError("bad-request", "the path is not valid percent-encoded UTF-8"),
  FST_ERR_MAX_PARAM_LENGTH: () => new GitspanError("not-found", "nothing has a name that long"),
};

/** Anything that was thrown while a request was handled, as an error the caller can be told. */
export function toGitspanError(error: unknown): GitspanError {
  if (error instanceof GitspanError) return error;
  const code = memberOf(error, "code");
  const known = typeof code === "string" && Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined;
  if (known !== undefined) return known();
  const status = memberOf(error, "statusCode");
  if (typeof status === "number" && status >= 400 && status < 500) {
    return new GitspanError("bad-request", "the request could not be read to its end", { cause: error });
  }
  return new GitspanError("internal", "unexpected error", { cause: error });
}

function memberOf(error: unknown, name: string): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
}
