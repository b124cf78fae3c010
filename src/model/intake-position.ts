/** Up to where the runs of one stream are known; milliseconds since the epoch. */
export interface IntakePosition {
  /** Runs that ended before are never taken: they are older than the first look. */
  first: number;
  /** Every run that ended before was handled. */
  reached: number;
}
