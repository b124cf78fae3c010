import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedBuild } from "../tables.ts";
import { isBuildBody } from "../wire.ts";

export function addBuildsGet(builds: Command, context: Context): void {
  const command = builds
    .command("get")
    .description("show a build and its deliveries")
    .argument("<id>", "id of the build");
  withOutputOption(withServerOptions(command)).action(
    action(context, async (id: string, options: ServerOptions & { output: Format }) => {
      const { io } = context;
      const server = await resolveServer(io, options);
      const build = await callApi(
        server,
        { path: `v1/builds/${encodeURIComponent(id)}`, accepts: isBuildBody },
        io.signal,
      );
      await print(io, options.output, printedBuild(io, build));
      return undefined;
    }),
  );
}
