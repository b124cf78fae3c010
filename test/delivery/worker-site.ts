import { afterEach, beforeEach } from "vitest";
import { runWorker, type WorkerOptions } from "../../src/delivery/worker.ts";
import type { PushResult } from "../../src/model/git.ts";
import { type House, makeHouse } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

/** A house with a worker in it. */
export interface WorkerSite {
  /** May be replaced before the start. */
  house: House;
  stop: AbortController;
  abort: AbortController;
  hasEnded: boolean;
  start(options?: Partial<WorkerOptions>): void;
  logged(message: string): House["logged"];
}

/** Anew for each test of the file; its worker ends with the test. */
export function workerSite(): WorkerSite {
  let working: Promise<void> = Promise.resolve();
  const fresh = () => ({ house: makeHouse(), stop: new AbortController(), abort: new AbortController() });
  const site: WorkerSite = {
    ...fresh(),
    hasEnded: false,
    start(options = {}) {
      site.hasEnded = false;
      const signals = { stop: site.stop.signal, abort: site.abort.signal };
      working = (async () => {
        await runWorker(site.house.deps, { owner: "worker", lanes: 1, ...options }, signals);
        site.hasEnded = true;
      })();
    },
    logged: (message) => site.house.logged.filter((line) => line.message === message),
  };
  beforeEach(() => {
    Object.assign(site, fresh());
    site.house.argocd.says(applicationRef("checkout"), { state: "healthy" });
    working = Promise.resolve();
  });
  afterEach(async () => {
    site.stop.abort();
    site.abort.abort();
    await site.house.wait(120_000);
    await working;
  });
  return site;
}

/** A first push that answers when the test says so, or breaks off when it is told to. */
export function slowPush({ git }: House): { begun: () => boolean; answer: (result?: PushResult) => void } {
  const answer = Promise.withResolvers<PushResult | undefined>();
  const { push } = git;
  let begun = false;
  git.push = async (prepared, signal) => {
    begun = true;
    git.push = push;
    signal.addEventListener("abort", () => answer.reject(signal.reason as Error));
    return (await answer.promise) ?? push.call(git, prepared, signal);
  };
  return { begun: () => begun, answer: (result) => answer.resolve(result) };
}
