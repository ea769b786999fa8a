import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { vi } from 'vitest';
import { root } from '../source-files.ts';
import type { GuardOrders, Order, Report } from './messages.ts';

const program = join(root, 'test/chaos/guard-program.ts');
const loader = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
const patience = 60_000;

/** A resource server in a process of its own. */
export class GuardProcess {
  readonly child: ChildProcess;
  readonly #reports = new Map<number, Report>();
  #lastReport = 0;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', (report: Report) => this.#reports.set(report.report, report));
  }

  static async start(orders: GuardOrders): Promise<GuardProcess> {
    const env = { PATH: process.env['PATH'], ORDERS: JSON.stringify(orders) };
    const child = fork(program, [], { execArgv: ['--import', loader], env, cwd: root });
    const guard = new GuardProcess(child);
    const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`the guard ended at once: ${String(first)}`);
    return guard;
  }

  tell(order: Order): void {
    if (this.child.connected) this.child.send(order);
  }

  async report(): Promise<Report> {
    this.#lastReport += 1;
    const report = this.#lastReport;
    this.tell({ report });
    return vi.waitFor(
      () => {
        const found = this.#reports.get(report);
        if (found === undefined) throw new Error('the guard does not report');
        return found;
      },
      { timeout: patience, interval: 10 },
    );
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'close');
    this.child.kill('SIGCONT');
    this.child.kill(signal);
    await ended;
  }
}
