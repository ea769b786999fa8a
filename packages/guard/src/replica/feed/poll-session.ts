import { setTimeout as pause } from 'node:timers/promises';
import { momentOf } from './clocks.ts';
import { FeedFault } from './fault.ts';
import { readWhole } from './feed-node.ts';
import { parseMessage, type PollAnswer, readPollAnswer } from './messages.ts';
import { feedPath, patience, periodOf, pollSecondsOf, type Session, type SessionContext } from './session.ts';

/** More than a hundred thousand entries. */
const longestAnswer = 67_108_864;
const milliseconds = 1000;

/** Follows the log by asking for news again and again, where streams do not get through. */
export class PollSession implements Session {
  readonly #context: SessionContext;
  /** When to stop, on the monotonic clock. */
  readonly #until: number;

  constructor(context: SessionContext, until: number) {
    this.#context = context;
    this.#until = until;
  }

  async run(): Promise<void> {
    const { log, clocks, signal, onConnected } = this.#context;
    // The first one waits for nothing: it shows how current this guard is.
    let seconds = 0;
    while (clocks.monotonic() < this.#until) {
      const sent = momentOf(clocks);
      const answer = await this.#poll(seconds);
      if (answer.resync) log.requireSnapshot();
      log.greet(answer);
      if (log.needsSnapshot) throw new FeedFault('resync', 'The position cannot be continued');
      onConnected();
      for (const entry of answer.entries) log.take(entry);
      if (!log.confirm(sent, answer.age, answer.head)) {
        log.requireSnapshot();
        throw new FeedFault('gap', 'The answer to a poll lacks entries up to its head');
      }
      seconds = pollSecondsOf(this.#context);
      if (seconds === 0) await pause(periodOf(this.#context), undefined, { ref: false, signal });
    }
  }

  /** A poll waits for news as it is. */
  nudge(): void {}

  async #poll(seconds: number): Promise<PollAnswer> {
    const { node, signal } = this.#context;
    const path = feedPath(this.#context, { poll: String(seconds) });
    const longest = seconds * milliseconds + patience;
    const answer = await node.send({ path, accept: 'application/json', patience: longest, signal });
    const text = await readWhole(answer, longestAnswer, patience);
    return readPollAnswer(parseMessage(text.toString()));
  }
}
