interface Step {
  at: number;
  order: number;
  run: (at: number) => void | Promise<void>;
}

/** Things to do at times to come; equal times in the order they were added. */
export class Schedule {
  readonly #steps: Step[] = [];
  #order = 0;

  add(at: number, run: Step["run"]): void {
    this.#order += 1;
    this.#steps.push({ at, order: this.#order, run });
    this.#steps.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  /** When the next thing is due; infinity when there is none. */
  nextAt(): number {
    return this.#steps[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Does everything that is due by then, including what that adds. */
  async runUntil(now: number): Promise<void> {
    for (;;) {
      const step = this.#steps[0];
      if (step === undefined || step.at > now) return;
      this.#steps.shift();
      await step.run(step.at);
    }
  }
}
