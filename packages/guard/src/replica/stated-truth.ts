import type { AccessTokenClaims } from '@sallyport/jwt';
import { type Rights, statedRights } from '../rights.ts';
import type { AccessToken } from './knowledge.ts';
import { RightsMemory } from './rights-memory.ts';
import type { GuardStatus, Judgement, MaxStaleness, Truth } from './truth.ts';

/** What the token says and no more: nobody tells this guard of changes. */
export class StatedTruth implements Truth {
  /** By the text of the scopes, as if it were a role before the others. */
  readonly #memory = new RightsMemory();

  judge({ claims }: AccessToken, _text: string, maxStaleness: MaxStaleness | undefined): Judgement {
    if (typeof maxStaleness !== 'number') return this.#rightsOf(claims);
    throw new TypeError('A route limits maxStaleness, but its guard follows no feed: give createGuard `feed`');
  }

  onChange(): () => void {
    return () => undefined;
  }

  status(): GuardStatus {
    return { ready: true, connected: false, lag: 0, entries: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #rightsOf(claims: AccessTokenClaims): Rights {
    const { scope = '', roles = [] } = claims;
    const stated = [scope, ...roles];
    return this.#memory.recall(stated) ?? this.#memory.remember(stated, statedRights(claims));
  }
}
