/** The pipeline task whose results name an app's images, for apps that say nothing else. */
export const DEFAULT_BUILD_TASK = "build-image";

/** Which tasks of a pipeline are believed when they name images. */
export interface BuildTasks {
  names: ReadonlySet<string>;
  /** Whether an image with this repository counts when this task names it; one of no app is left to whoever matches. */
  takes(repository: string, task: string): boolean;
}
