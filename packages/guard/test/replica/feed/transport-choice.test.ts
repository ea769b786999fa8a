import { describe, expect, it } from 'vitest';
import { FeedFault, type FeedFaultReason } from '../../../src/replica/feed/fault.ts';
import { reconnectPause } from '../../../src/replica/feed/reconnect-pause.ts';
import { type Transport, TransportChoice } from '../../../src/replica/feed/transport-choice.ts';

/** What is chosen after streams that ended so. */
function choiceAfter(asked: Transport, ...reasons: FeedFaultReason[]): TransportChoice {
  const choice = new TransportChoice(asked);
  for (const reason of reasons) choice.noteStream(new FeedFault(reason, reason));
  return choice;
}

describe('the choice between stream and polling', () => {
  it('begins with a stream, and stays with it whatever may happen to any connection', () => {
    expect(choiceAfter('auto').next()).toBeUndefined();
    expect(choiceAfter('auto', 'lost', 'silent', 'bye', 'resync', 'unavailable', 'refused').next()).toBeUndefined();
  });

  it.each(['deaf', 'elsewhere', 'malformed'] as const)('polls after two streams that were %s', (reason) => {
    expect(choiceAfter('auto', reason).next()).toBeUndefined();
    expect(choiceAfter('auto', reason, 'lost', reason).next()).toBeUndefined();
    expect(choiceAfter('auto', reason, reason).next()).toBe(60_000);
  });

  it('tries a stream again after a while, later and later', () => {
    const choice = choiceAfter('auto', 'deaf', 'deaf');
    const rests: (number | undefined)[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      rests.push(choice.next());
      choice.noteRest();
      expect(choice.next()).toBeUndefined();
      choice.noteStream(new FeedFault('deaf', 'deaf'));
    }
    expect(rests).toEqual([60_000, 120_000, 240_000, 480_000, 600_000]);
  });

  it('forgets all that once a stream held', () => {
    const choice = choiceAfter('auto', 'deaf', 'deaf');
    choice.noteRest();
    choice.noteStream(new FeedFault('lost', 'lost'));
    expect(choice.next()).toBeUndefined();
    choice.noteStream(new FeedFault('deaf', 'deaf'));
    choice.noteStream(new FeedFault('deaf', 'deaf'));
    expect(choice.next()).toBe(60_000);
  });

  it('is no choice where one was asked for', () => {
    expect(choiceAfter('stream', 'deaf', 'deaf', 'deaf').next()).toBeUndefined();
    expect(choiceAfter('poll').next()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the pause before the next connection', () => {
  it('is short at first, grows to two seconds, and differs between guards', () => {
    expect([reconnectPause(0, 0), reconnectPause(0, 1)]).toEqual([20, 100]);
    expect([reconnectPause(2, 0), reconnectPause(2, 0.5), reconnectPause(2, 1)]).toEqual([20, 210, 400]);
    expect([reconnectPause(20, 1), reconnectPause(5000, 1)]).toEqual([2000, 2000]);
  });
});
