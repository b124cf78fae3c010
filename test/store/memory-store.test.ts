import { storeContract } from "../contracts/store.ts";
import { MemoryStore } from "../fakes/memory-store.ts";

storeContract("memory store", async () => {
  let offset = 0;
  const clock = {
    now: () => Date.now() + offset,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, ms);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason as Error);
        });
      }),
  };
  const store = new MemoryStore({ clock });
  return {
    store,
    other: store,
    advance: async (ms) => {
      offset += ms;
    },
    close: () => Promise.resolve(),
  };
});
