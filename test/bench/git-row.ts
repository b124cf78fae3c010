import type { GitServer } from "../fakes/git-http-server.ts";

export interface GitBenchRow {
  files: number;
  what: string;
  bumps: number;
  /** The median of the runs. */
  ms: number;
  requests: number;
  /** Bytes that the client received, and sent. */
  bytesIn: number;
  bytesOut: number;
  /** The most memory that the client's process held, where it had one of its own. */
  rssMiB?: number;
  /** Of competing writers: our pushes that lost the race, and bumps or foreign commits that are missing, double or out of order. */
  retries?: number;
  /** End to end: until every report was answered. */
  acceptMs?: number;
  lost?: number;
}

export type Report = (row: GitBenchRow) => void;

/** Runs something several times and reports the median, and what the last run put on the wire. */
export type Measure = (
  what: string,
  how: { bumps?: number; runs: number },
  once: () => Promise<Partial<GitBenchRow> | void>,
) => Promise<void>;

export function measuring(server: GitServer, files: number, report: Report): Measure {
  return async (what, { bumps = 1, runs }, once) => {
    const times: number[] = [];
    let more: Partial<GitBenchRow> = {};
    for (let run = 0; run < runs; run++) {
      server.resetStats();
      const start = performance.now();
      more = (await once()) ?? {};
      times.push(performance.now() - start);
    }
    const { requests, bytesIn, bytesOut } = server.stats();
    const ms = Math.round((times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0) * 10) / 10;
    report({ files, what, bumps, ms, requests, bytesIn: bytesOut, bytesOut: bytesIn, ...more });
  };
}

export function lineOf(row: GitBenchRow): string {
  const cells = [
    `${row.files} files`.padEnd(12),
    row.what.padEnd(46),
    `${row.ms} ms`.padStart(11),
    `${row.requests} requests`.padStart(13),
    `${row.bytesIn} B in`.padStart(14),
    `${row.bytesOut} B out`.padStart(15),
  ];
  if (row.rssMiB !== undefined) cells.push(`${row.rssMiB} MiB`.padStart(9));
  if (row.acceptMs !== undefined) cells.push(` accepted in ${row.acceptMs} ms`);
  if (row.retries !== undefined) cells.push(` ${row.retries} retries`);
  if (row.lost !== undefined) cells.push(` ${row.lost} lost`);
  return cells.join(" ");
}
