import type { Outcome, OutcomeReason, Phase, WaitReason } from "../model/delivery.ts";

/** What the commands read of the API's answers (docs/http.md); all else is passed on as it came. */
interface ImageBody {
  name: string;
  repository: string;
  tag?: string;
  digest?: `sha256:${string}`;
}

export interface DeliveryBody {
  id: string;
  build: string;
  target: string;
  images: ImageBody[];
  rollback?: { undoes: string[] };
  phase: Phase;
  waitReason?: WaitReason;
  outcome?: Outcome;
  reason?: OutcomeReason;
  message?: string;
  commit?: string;
  updatedAt: string;
  trust?: { images: { signers: string[] }[] };
  verdict?: { state: string; reason?: string; message: string };
  events?: { at: string; kind: string; message: string }[];
}

export interface BuildBody {
  id: string;
  images: ImageBody[];
  source: { repository: string; commit: string; ref?: string };
  written: boolean;
  done: boolean;
  deliveries: DeliveryBody[];
}

export interface DeliveryPage {
  items: DeliveryBody[];
  next?: string;
}

export interface FeedEventBody {
  id: number;
  at: string;
  kind: string;
  message: string;
  delivery: DeliveryBody;
}

export function isFeedEventBody(body: unknown): body is FeedEventBody {
  return isObject(body) && has(body, ["at", "kind", "message"], [], []) && isDeliveryBody(body["delivery"]);
}

export function isBuildBody(body: unknown): body is BuildBody {
  return isObject(body) && has(body, ["id"], ["written", "done"], ["images", "deliveries"]) && isObject(body["source"]);
}

export function isDeliveryBody(body: unknown): body is DeliveryBody {
  return isObject(body) && has(body, ["id", "build", "target", "phase"], [], ["images"]);
}

export function isDeliveryPage(body: unknown): body is DeliveryPage {
  return isObject(body) && Array.isArray(body["items"]) && body["items"].every(isDeliveryBody);
}

/** Enough to know a gitspan server by; a newer one may say more. */
export function has(body: Record<string, unknown>, texts: string[], flags: string[], lists: string[]): boolean {
  return (
    texts.every((key) => typeof body[key] === "string") &&
    flags.every((key) => typeof body[key] === "boolean") &&
    lists.every((key) => Array.isArray(body[key]))
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
