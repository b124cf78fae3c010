/** What the command line of `gitspan edit` says. */
export interface EditOptions {
  image: string[];
  ref: string[];
  at: string[];
  format: string;
  add?: true;
  digest: string;
  check?: true;
  diff?: true;
  write?: true;
  batch?: true;
}
