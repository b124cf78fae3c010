import type { Command } from "commander";
import { GitspanError } from "../../model/errors.ts";
import { action, type Context } from "../action.ts";
import { followStream } from "../event-stream.ts";
import { type Format, withOutputOption } from "../output.ts";
import { stateOf } from "../progress.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printable } from "../table.ts";
import { type FeedEventBody, isFeedEventBody } from "../wire.ts";

interface WatchOptions extends ServerOptions {
  app?: string;
  environment?: string;
  after?: string;
  output: Format;
}

export function addDeliveriesWatch(deliveries: Command, context: Context): void {
  const command = deliveries
    .command("watch")
    .description("show what happens to deliveries as it happens, until interrupted")
    .option("--app <name>", "of this app")
    .option("--environment <name>", "to this environment")
    .option("--after <id>", "begin after this event (0: with the oldest) instead of now");
  withOutputOption(withServerOptions(command)).action(
    action(context, async ({ app, environment, after, output, ...options }: WatchOptions) => {
      const { io } = context;
      const server = await resolveServer(io, options);
      for await (const data of followStream(io, server, { path: "v1/stream", query: { app, environment }, after })) {
        io.stdout.write(await linesOf(output, eventOf(data)));
      }
      return undefined;
    }),
  );
}

function eventOf(data: string): FeedEventBody {
  const event: unknown = JSON.parse(data);
  if (isFeedEventBody(event)) return event;
  throw new GitspanError("unreachable", "the stream does not look like one of a gitspan server", {
    hint: "Check --server or GITSPAN_SERVER.",
  });
}

/** `json` is one object per line and `yaml` one document per event, so that others can read them as they come. */
async function linesOf(format: Format, event: FeedEventBody): Promise<string> {
  const { at, kind, message, delivery } = event;
  switch (format) {
    case "json":
      return `${JSON.stringify(event)}\n`;
    case "yaml": {
      const { stringify } = await import("yaml");
      return `---\n${stringify(event, { lineWidth: 0 })}`;
    }
    case "name":
      return `delivery/${delivery.id}\n`;
    case "table":
      return `${[at, delivery.target, stateOf(delivery), kind, message].map(printable).join("  ")}\n`;
  }
}
