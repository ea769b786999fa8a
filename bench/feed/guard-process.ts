import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../../test/source-files.ts';
import type { GuardOrders, Order, Report } from './messages.ts';

/** A guard in a process of its own. */
export class GuardProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (report: Report) => void>();
  #fail: (error: Error) => void = () => undefined;
  readonly #ended: Promise<never>;
  #lastNumber = 0;

  constructor(program: string, orders: GuardOrders) {
    const env = { PATH: process.env['PATH'], ORDERS: JSON.stringify(orders) };
    this.#child = fork(join(root, 'bench/feed', program), [], {
      execArgv: ['--import', 'tsx'],
      env,
      cwd: root,
      serialization: 'advanced',
    });
    this.#ended = new Promise((_, reject) => (this.#fail = reject));
    this.#ended.catch(() => undefined);
    this.#child.on('exit', () => this.#fail(new Error('a guard has ended')));
    this.#child.on('message', (report: Report) => {
      this.#waiting.get(report.number)?.(report);
      this.#waiting.delete(report.number);
    });
  }

  /** Gives an order, and resolves with the report when it has been carried out. */
  ask(order: Omit<Order, 'number'> = {}): Promise<Report> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const reported = new Promise<Report>((resolve) => this.#waiting.set(number, resolve));
    this.#child.send({ ...order, number });
    return Promise.race([reported, this.#ended]);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
