/** The trace that a W3C `traceparent` belongs to, as tracing tools search for it: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent?.split("-")[1];
}
