import { action, type Context } from "./action.ts";
import { callApi } from "./api.ts";
import type { Io } from "./io.ts";
import { type Format, type Printed, print } from "./output.ts";
import { resolveServer, type ServerOptions } from "./server.ts";

interface ListOf<P> {
  path: string;
  accepts: (answer: unknown) => answer is P;
  printed: (io: Io, page: P) => Printed;
}

/** What a `list` command does: one page, filtered by every other option, and how to get the next one. */
export function listPage<P extends { next?: string }>(context: Context, { path, accepts, printed }: ListOf<P>) {
  return action(context, async (options: Record<string, string | undefined> & ServerOptions & { output: Format }) => {
    const { io } = context;
    const { server, tokenFile, output, ...filters } = options;
    const address = await resolveServer(io, { server, tokenFile });
    const page = await callApi(address, { path, query: filters, accepts }, io.signal);
    await print(io, output, printed(io, page));
    if (page.next !== undefined) io.stderr.write(`there are more: --cursor ${page.next}\n`);
    return undefined;
  });
}
