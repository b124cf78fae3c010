import { DOCKER_HUB } from "../model/image-location.ts";

/** The registry's address where the configuration gives none. */
export function defaultAddress(host: string): string {
  return host === DOCKER_HUB ? "https://registry-1.docker.io" : `https://${host}`;
}

/** Docker Hub hands out its tokens elsewhere. */
export function wellKnownTokenHosts(host: string): string[] {
  return host === DOCKER_HUB ? ["auth.docker.io"] : [];
}
