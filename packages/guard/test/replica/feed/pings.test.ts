import { describe, expect, it, vi } from 'vitest';
import { clocksWith, systemTime } from '../../../src/replica/feed/clocks.ts';
import type { FeedFault } from '../../../src/replica/feed/fault.ts';
import type { NodeRequest, NodeUpload } from '../../../src/replica/feed/feed-node.ts';
import { Pings } from '../../../src/replica/feed/pings.ts';
import type { SessionContext } from '../../../src/replica/feed/session.ts';

interface SentPing {
  readonly n: number;
  readonly echo?: boolean;
}

interface Fixture {
  readonly pings: Pings;
  /** Those that the node got. */
  readonly sent: SentPing[];
  readonly faults: FeedFault[];
  /** What the node answers a ping with. */
  status: (ping: SentPing) => number;
}

/** The pings of a session with a node that answers as it is told. */
function somePings(): Fixture {
  const fixture: Omit<Fixture, 'pings'> = { sent: [], faults: [], status: () => 204 };
  let last = 0;
  const send = async ({ body }: NodeRequest): Promise<unknown> => {
    const ping = JSON.parse(body?.text ?? '') as SentPing;
    fixture.sent.push(ping);
    return { status: fixture.status(ping), body: { resume: () => undefined } };
  };
  const context = {
    node: { url: 'http://node', send, upload: () => aProxyThatBuffers },
    log: { cursor: 'first.1' },
    clocks: clocksWith(systemTime),
    guardId: 'guard-number-1',
    lease: 30,
    bound: () => 30_000,
    nextPing: () => (last += 1),
    onConnected: () => undefined,
    signal: new AbortController().signal,
  } as unknown as SessionContext;
  const pings = new Pings(context, (fault) => fixture.faults.push(fault));
  return Object.assign(fixture, { pings });
}

/** What is sent one after the other never arrives. */
const aProxyThatBuffers: NodeUpload = { write: () => undefined, end: () => undefined, destroy: () => undefined };

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { interval: 5, timeout: 10_000 });
const echoOf = (number: number): Parameters<Pings['settle']>[0] => ({ number, head: 1, age: 0 });

describe('pings', () => {
  it('know when one was sent by the echo of it, or of a later one that asked for none', async () => {
    const { pings, sent } = somePings();
    pings.request('echo');
    await eventually(() => expect(sent).toHaveLength(1));
    pings.request('acknowledgement');
    await eventually(() => expect(sent).toHaveLength(2));
    expect(sent).toMatchObject([{ n: 1 }, { n: 2, echo: false }]);
    expect(pings.settle(echoOf(0))).toBeUndefined();
    expect(pings.settle(echoOf(2))).toBeDefined();
    expect(pings.settle(echoOf(2))).toBeUndefined();
  });

  it('ask for an echo when both are wanted before their turn', async () => {
    const { pings, sent } = somePings();
    pings.request('acknowledgement');
    await eventually(() => expect(sent).toHaveLength(1));
    for (const purpose of ['acknowledgement', 'echo', 'acknowledgement'] as const) pings.request(purpose);
    await eventually(() => expect(sent).toHaveLength(2));
    expect(sent[1]?.echo).toBeUndefined();
  });

  it('are elsewhere when three that asked for an echo did not reach the process, one after the other', async () => {
    const fixture = somePings();
    fixture.status = () => 410;
    fixture.pings.request('echo');
    await eventually(() => expect(fixture.faults).toMatchObject([{ reason: 'elsewhere' }]));
    expect(fixture.sent.filter(({ echo }) => echo !== false)).toHaveLength(3);
  });

  it('are not elsewhere for acknowledgements alone, which ask for an echo then', async () => {
    const fixture = somePings();
    fixture.status = ({ echo }) => (echo === false ? 410 : 204);
    for (let round = 0; round < 5; round += 1) {
      const before = fixture.sent.length;
      fixture.pings.request('acknowledgement');
      await eventually(() => expect(fixture.sent.slice(before).some(({ echo }) => echo !== false)).toBe(true));
      fixture.pings.settle(echoOf(fixture.sent.at(-1)?.n ?? 0));
    }
    expect(fixture.faults).toEqual([]);
  });

  it('end with their session', async () => {
    const fixture = somePings();
    fixture.status = () => 410;
    fixture.pings.request('echo');
    await eventually(() => expect(fixture.sent).toHaveLength(1));
    fixture.pings.stop();
    fixture.pings.request('echo');
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(fixture.sent).toHaveLength(1);
  });
});
