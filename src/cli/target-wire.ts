import { type DeliveryBody, has, isObject } from "./wire.ts";

/** What the commands read of the API's answers about targets and holds (docs/http.md). */
export interface HoldBody {
  id: string;
  target: string;
  digest?: string;
  build?: string;
  by: string;
  why: string;
  createdAt: string;
  until?: string;
  /** Only in the answer to its creation. */
  alreadyBeingPushed?: boolean;
}

export interface TargetBody {
  id: string;
  repository: string;
  branch: string;
  images: { name: string; repository: string }[];
  current?: DeliveryBody;
  pin?: { by: string; why: string };
  override?: { kind: string; commit: string };
  holds: HoldBody[];
  applications?: string[];
  problem?: { message: string; hint?: string };
  /** Only in the answer to a release. */
  released?: boolean;
}

export interface TargetList extends ListBody<TargetBody> {
  /** Annotated Applications that are no targets. */
  refused?: { message: string; hint: string }[];
}

export interface ListBody<T> {
  items: T[];
  next?: string;
}

export function isHoldBody(body: unknown): body is HoldBody {
  return isObject(body) && has(body, ["id", "target", "by", "why", "createdAt"], [], []);
}

export function isHoldList(body: unknown): body is ListBody<HoldBody> {
  return isObject(body) && Array.isArray(body["items"]) && body["items"].every(isHoldBody);
}

export function isTargetBody(body: unknown): body is TargetBody {
  return isObject(body) && has(body, ["id", "repository", "branch"], [], ["images", "holds"]);
}

export function isTargetList(body: unknown): body is TargetList {
  const refused = isObject(body) ? (body["refused"] ?? []) : undefined;
  return (
    isObject(body) &&
    Array.isArray(body["items"]) &&
    body["items"].every(isTargetBody) &&
    Array.isArray(refused) &&
    refused.every((one) => isObject(one) && has(one, ["message", "hint"], [], []))
  );
}

/** A 204. */
export function isNothing(body: unknown): body is undefined {
  return body === undefined;
}
