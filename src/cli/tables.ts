import { formatImageReference } from "../model/image.ts";
import type { Io } from "./io.ts";
import type { Printed } from "./output.ts";
import { stateOf } from "./progress.ts";
import { formatTable } from "./table.ts";
import type { BuildBody, DeliveryBody, DeliveryPage } from "./wire.ts";

const COLORS = { green: 32, red: 31, yellow: 33 } as const;

export function printedBuild(io: Io, build: BuildBody): Printed {
  const { source } = build;
  const ref = source.ref === undefined ? "" : ` (${source.ref})`;
  return {
    data: build,
    names: () => [`build/${build.id}`],
    table: () =>
      formatTable([
        ["Build:", build.id],
        ["Source:", `${source.repository} @ ${source.commit}${ref}`],
        ...build.images.map((image) => ["Image:", formatImageReference(image)]),
      ]) + deliveriesTable(io, build.deliveries),
  };
}

export function printedDeliveries(io: Io, page: DeliveryPage): Printed {
  return {
    data: page,
    names: () => page.items.map((delivery) => `delivery/${delivery.id}`),
    table: () => deliveriesTable(io, page.items),
  };
}

export function printedDelivery(delivery: DeliveryBody): Printed {
  return {
    data: delivery,
    names: () => [`delivery/${delivery.id}`],
    table: () =>
      formatTable([
        ["Delivery:", delivery.id],
        ["Target:", delivery.target],
        ["Build:", delivery.build],
        ...delivery.images.map((image) => ["Image:", formatImageReference(image)]),
        ...(delivery.rollback === undefined ? [] : [["Takes out:", delivery.rollback.undoes.join(", ")]]),
        ...provenBy(delivery).map((signer) => ["Proven by:", signer]),
        ["State:", stateOf(delivery)],
        ["Commit:", delivery.commit ?? "-"],
        ["Message:", delivery.message ?? delivery.verdict?.message ?? "-"],
      ]) +
      formatTable([
        ["TIME", "EVENT", "MESSAGE"],
        ...(delivery.events ?? []).map(({ at, kind, message }) => [at, kind, message]),
      ]),
  };
}

function provenBy({ trust }: DeliveryBody): string[] {
  return [...new Set(trust?.images.flatMap(({ signers }) => signers))];
}

function deliveriesTable(io: Io, deliveries: readonly DeliveryBody[]): string {
  const table = formatTable([
    ["DELIVERY", "TARGET", "STATE", "COMMIT", "MESSAGE"],
    ...deliveries.map((delivery) => [
      delivery.id,
      delivery.target,
      stateOf(delivery),
      delivery.commit?.slice(0, 10) ?? "-",
      delivery.message ?? delivery.verdict?.message ?? "",
    ]),
  ]);
  return isColorful(io) ? colored(table, deliveries) : table;
}

/** Colours whole lines after they were laid out, so that widths stay right. */
function colored(table: string, deliveries: readonly DeliveryBody[]): string {
  return table
    .split("\n")
    .map((line, index) => {
      const color = colorOf(deliveries[index - 1]);
      return color === undefined ? line : `\u001b[${COLORS[color]}m${line}\u001b[0m`;
    })
    .join("\n");
}

function colorOf(delivery: DeliveryBody | undefined): keyof typeof COLORS | undefined {
  if (delivery?.outcome === undefined) return delivery?.phase === "waiting" ? "yellow" : undefined;
  if (delivery.outcome === "healthy") return "green";
  return delivery.outcome === "superseded" || delivery.outcome === "cancelled" ? "yellow" : "red";
}

/** https://no-color.org: any value that is not empty turns colours off. */
function isColorful(io: Io): boolean {
  return io.stdout.isTTY === true && (io.env["NO_COLOR"] ?? "") === "" && io.env["TERM"] !== "dumb";
}
