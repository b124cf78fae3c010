import { formatImageReference } from "../model/image.ts";
import type { Printed } from "./output.ts";
import { stateOf } from "./progress.ts";
import { formatTable } from "./table.ts";
import type { HoldBody, ListBody, TargetBody } from "./target-wire.ts";

export function printedHolds(data: ListBody<HoldBody> | HoldBody): Printed {
  const holds = "items" in data ? data.items : [data];
  return {
    data,
    names: () => holds.map((hold) => `hold/${hold.id}`),
    table: () => holdsTable(holds),
  };
}

export function printedTargets(page: ListBody<TargetBody>): Printed {
  return {
    data: page,
    names: () => page.items.map((target) => `target/${target.id}`),
    table: () =>
      formatTable([
        ["TARGET", "RUNS", "COMMIT", "STATE", "KEPT BY"],
        ...page.items.map((target) => [
          target.id,
          target.current?.images.map(formatImageReference).join(", ") ?? "-",
          target.current?.commit?.slice(0, 10) ?? "-",
          target.current === undefined ? "-" : stateOf(target.current),
          keptBy(target),
        ]),
      ]),
  };
}

export function printedTarget(target: TargetBody): Printed {
  const { current, pin, override } = target;
  return {
    data: target,
    names: () => [`target/${target.id}`],
    table: () =>
      formatTable([
        ["Target:", target.id],
        ["Written to:", `${target.repository}@${target.branch}`],
        ...target.images.map(({ name, repository }) => ["Image:", `${name} ${repository}`]),
        ...(target.applications ?? []).map((application) => ["Application:", application]),
        ...(target.problem === undefined
          ? []
          : [["Cannot be written:", `${target.problem.message}. ${target.problem.hint ?? ""}`.trimEnd()]]),
        ["Delivery:", current === undefined ? "-" : `${current.id} ${stateOf(current)}`],
        ...(current?.images ?? []).map((image) => ["Runs:", formatImageReference(image)]),
        ["Commit:", current?.commit ?? "-"],
        ...(override === undefined ? [] : [["Overridden:", `${override.kind} in ${override.commit}`]]),
        ["Pinned:", pin === undefined ? "no" : `by ${pin.by}: ${pin.why}`],
      ]) + (target.holds.length === 0 ? "" : holdsTable(target.holds)),
  };
}

function holdsTable(holds: readonly HoldBody[]): string {
  return formatTable([
    ["HOLD", "TARGET", "HOLDS", "BY", "UNTIL", "WHY"],
    ...holds.map((hold) => [hold.id, hold.target, heldBy(hold), hold.by, hold.until ?? "-", hold.why]),
  ]);
}

function heldBy({ digest, build }: HoldBody): string {
  return digest ?? (build === undefined ? "any" : `build ${build}`);
}

function keptBy({ pin, holds, problem }: TargetBody): string {
  return [
    ...(problem === undefined ? [] : ["problem"]),
    ...(pin === undefined ? [] : ["pin"]),
    ...(holds.length === 0 ? [] : [`${holds.length} hold(s)`]),
  ].join(", ");
}
