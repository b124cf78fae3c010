import { isTransient } from "../model/errors.ts";

interface Call<I, O> {
  input: I;
  answer: PromiseWithResolvers<O>;
}

/** Beyond this a statement's parameters get long, and whoever came first waits for the others. */
const MOST = 500;

/**
 * Makes one call of many, as a database groups its commits: those that come while one is under way go together into
 * the next, and each gets its own answer. When a call of many fails for a reason of its own, each is made again alone.
 */
export class Grouped<I, O> {
  readonly #run: (inputs: readonly I[]) => Promise<readonly O[]>;
  #waiting: Call<I, O>[] = [];
  #isRunning = false;

  /** `run` gives an answer for each input, in their order. */
  constructor(run: (inputs: readonly I[]) => Promise<readonly O[]>) {
    this.#run = run;
  }

  call(input: I): Promise<O> {
    const answer = Promise.withResolvers<O>();
    this.#waiting.push({ input, answer });
    if (!this.#isRunning) {
      this.#isRunning = true;
      // Whoever else asks at this moment comes along.
      queueMicrotask(() => void this.#work());
    }
    return answer.promise;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) await this.#together(this.#waiting.splice(0, MOST));
    this.#isRunning = false;
  }

  async #together(calls: readonly Call<I, O>[]): Promise<void> {
    try {
      const answers = await this.#run(calls.map(({ input }) => input));
      if (answers.length !== calls.length) throw new Error("a call of many gave another number of answers");
      for (const [index, answer] of answers.entries()) calls[index]?.answer.resolve(answer);
    } catch (error) {
      if (calls.length === 1 || isTransient(error)) for (const { answer } of calls) answer.reject(error);
      else for (const call of calls) await this.#together([call]);
    }
  }
}
