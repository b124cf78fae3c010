/** The same as in package.json; a test compares them. A constant, so that `gitspan version` reads no file. */
export const VERSION = "0.1.0";
