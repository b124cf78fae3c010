/** What the parts of the demonstration agree on. */
export interface Place {
  /** Where Gitea answers, as the containers see it. */
  gitea: string;
  /** Of Gitea's administrator `demo`. */
  password: string;
  /** The folder whose files the GitOps repository begins with. */
  files: string;
  /** The folder in which the seed leaves the tokens. */
  secrets: string;
}

export const OWNER = "platform";
export const REPOSITORY = "gitops";
export const BRANCH = "main";

export function repositoryUrl({ gitea }: Pick<Place, "gitea">): string {
  return `${gitea}/${OWNER}/${REPOSITORY}.git`;
}
