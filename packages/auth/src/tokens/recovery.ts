import { globalFloor } from '../changes/change.ts';
import type { EventListener } from '../events.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { randomId, type Clock, type Random } from '../ports.ts';
import type { Store } from '../stores/store.ts';

/** What recovering works with. */
export interface RecoveryDependencies {
  readonly store: Store;
  readonly keys: Pick<SigningKeys, 'replaceAll' | 'signingKey'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
}

/** What recovering has done. */
export interface RecoveryReport {
  /** The new name of this lineage of the database. */
  readonly incarnation: string;
  /** How many sessions that seemed alive have ended. */
  readonly sessions: number;
  /** How many signing keys are compromised now: 0 where SECRET_KEY signs. */
  readonly keys: number;
  /** The key that signs from now on. */
  readonly keyId: string;
}

/**
 * Makes worthless whatever was issued before, in one transaction.
 *
 * A restored backup has forgotten what happened since it was made: sessions that were ended are alive in it, keys that were
 * revoked sign, and its log is about to give the numbers of lost entries to other ones. Nobody can tell which, so all
 * sessions end, all keys go, and the log goes on under another name beyond every number it can have had.
 */
export async function recover({ store, keys, clock, random, emit }: RecoveryDependencies): Promise<RecoveryReport> {
  const incarnation = randomId(random);
  const done = await store.transaction(async (transaction) => {
    const sessions = await transaction.sessions.countLive(clock());
    await transaction.users.advanceEveryEpoch();
    const replaced = await keys.replaceAll(transaction);
    await transaction.beginIncarnation(incarnation);
    transaction.append(globalFloor());
    return { sessions, keys: replaced };
  });
  emit({ type: 'recovered', at: clock(), ...done });
  const head = await store.changes.head();
  return { incarnation, ...done, keyId: (await keys.signingKey(head)).keyId ?? '' };
}
