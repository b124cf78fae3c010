/** Gitea's REST API; the answer is the caller's to judge. */
export interface GiteaAccess {
  url: string;
  token: string;
}

export async function giteaApi(access: GiteaAccess, method: string, apiPath: string, body?: object): Promise<Response> {
  return await fetch(`${access.url}/api/v1${apiPath}`, {
    method,
    headers: { authorization: `token ${access.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
}
