/** Where an image lives: the host as images name it, and the path that the registry knows it by. */
export interface ImageLocation {
  host: string;
  path: string;
}

export const DOCKER_HUB = "docker.io";

/**
 * Splits `registry.example.com:5000/shop/checkout`. A name without a host is Docker Hub's, and one without a slash is in
 * its `library/` (github.com/distribution/reference, normalize.go).
 */
export function locateImage(repository: string): ImageLocation {
  const slash = repository.indexOf("/");
  const first = slash < 0 ? "" : repository.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first);
  if (!isHost) return { host: DOCKER_HUB, path: slash < 0 ? `library/${repository}` : repository };
  const path = repository.slice(slash + 1);
  if (first !== DOCKER_HUB && first !== `index.${DOCKER_HUB}`) return { host: first.toLowerCase(), path };
  return { host: DOCKER_HUB, path: path.includes("/") ? path : `library/${path}` };
}

/** More than any name has, with tag and digest. */
const MAX_NAME = 512;

/** Whether two names are of one repository, however Docker Hub is spelt. A tag or digest behind the name does not count. */
export function isSameImage(name: string, repository: string): boolean {
  if (name.length > MAX_NAME) return false;
  const bare = name.replace(/@.*$/, "").replace(/:[^/]*$/, "");
  const [a, b] = [locateImage(bare), locateImage(repository)];
  return a.host === b.host && a.path === b.path;
}
