import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, unlessLost } from '../http-client.ts';
import { type Ask, type Client, isNotNow } from './clients.ts';

/** What became of the calls of a while. */
export class Calls {
  answered = 0;
  putOff = 0;
  lost = 0;
  readonly #latencies: number[] = [];

  note(answer: Answer | undefined, latency: number): void {
    if (answer === undefined) this.lost += 1;
    else if (isNotNow(answer)) this.putOff += 1;
    else this.answered += 1;
    this.#latencies.push(latency);
  }

  get longest(): number {
    return Math.max(0, ...this.#latencies);
  }

  p99(): string {
    const sorted = this.#latencies.toSorted((one, other) => one - other);
    return `${(sorted[Math.floor(sorted.length * 0.99)] ?? 0).toFixed(0)} ms`;
  }
}

/** The calls that clients make, while by while. */
export class Load {
  #isOver = false;
  #now = new Calls();

  /** Lets all clients call one thing after another while something happens. */
  static async over(clients: readonly Client[], happening: (load: Load) => Promise<void>): Promise<void> {
    const load = new Load();
    const working = clients.map(async (client) => {
      while (!load.#isOver) await client.act(load.ask);
    });
    const done = happening(load).finally(() => (load.#isOver = true));
    await Promise.all([done, ...working]);
  }

  /** A while begins; gives the one that ends. */
  begin(): Calls {
    const ended = this.#now;
    this.#now = new Calls();
    return ended;
  }

  readonly ask: Ask = async (call) => {
    const calls = this.#now;
    const begun = performance.now();
    const answer = await unlessLost(call);
    calls.note(answer, performance.now() - begun);
    return answer;
  };

  async until(isEnough: (calls: Calls) => boolean): Promise<void> {
    while (!isEnough(this.#now)) await delay(10);
  }
}
