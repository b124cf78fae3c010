import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";

const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;
const MAX_KNOWN = 10_000;

interface Count {
  failures: number;
  /** When counting begins anew, milliseconds. */
  until: number;
}

/**
 * Counts wrong tokens and signatures per address and minute, and refuses an address that has had too many before
 * anything is looked up for it. Many callers may share an address (NAT, a proxy), and one with a broken secret must not
 * lock out the others: a credential that was right before is always let through to be checked.
 */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #addresses = new Map<string, Count>();
  readonly #known = new Set<string>();

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Throws `rate-limited`. `credential` names the token (by its hash) or the key, never a secret. */
  check(address: string, credential: string): void {
    const count = this.#addresses.get(address);
    const left = (count?.until ?? 0) - this.#clock.now();
    if (count === undefined || left <= 0 || count.failures < this.#limit || this.#known.has(credential)) return;
    throw new GitspanError("rate-limited", "too many requests from this address had a wrong token or signature", {
      hint: "Correct the token or the signature, and try again in a minute.",
      retryAfterMs: left,
    });
  }

  failed(address: string, credential: string): void {
    // What was right before and is wrong now was revoked, or is being guessed at.
    this.#known.delete(credential);
    const now = this.#clock.now();
    const count = this.#addresses.get(address);
    if (count !== undefined && count.until > now) {
      count.failures++;
      return;
    }
    this.#addresses.delete(address);
    dropOldest(this.#addresses, MAX_ADDRESSES);
    this.#addresses.set(address, { failures: 1, until: now + WINDOW_MS });
  }

  succeeded(credential: string): void {
    if (this.#known.has(credential)) return;
    dropOldest(this.#known, MAX_KNOWN);
    this.#known.add(credential);
  }
}

/** Makes room for one more; maps and sets keep the order in which things were put in. */
function dropOldest(held: Map<string, unknown> | Set<string>, max: number): void {
  const [oldest] = held.keys();
  if (held.size >= max && oldest !== undefined) held.delete(oldest);
}
