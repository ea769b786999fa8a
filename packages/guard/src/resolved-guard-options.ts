import { type Algorithm, issuerJwkSet, type StandardSchema } from '@sallyport/jwt';
import { type ResolvedSource, resolveSources } from './credentials/credential-source.ts';
import { guardOptionProblems } from './guard-option-rules.ts';
import type { GuardOptions } from './guard-options.ts';
import type { Vocabulary } from './requirement.ts';
import type { ChangeSource } from './replica/change.ts';
import { systemTime } from './replica/feed/clocks.ts';
import { type ResolvedFeedOptions, resolveFeedOptions } from './replica/feed/feed-options.ts';

type Absent = 'changes' | 'feed' | 'isRevoked' | 'algorithms' | 'claims' | 'scopes' | 'roles' | 'tokenEndpoint';

/** The options of a guard, checked, with every default in place. */
export interface ResolvedGuardOptions extends Required<Omit<GuardOptions, Absent | 'credentials'>> {
  readonly algorithms: readonly Algorithm[] | undefined;
  readonly changes: ChangeSource | undefined;
  readonly feed: ResolvedFeedOptions | undefined;
  readonly isRevoked: GuardOptions['isRevoked'];
  readonly claims: StandardSchema<object> | undefined;
  readonly credentials: readonly ResolvedSource[];
  readonly scopes: Readonly<Record<string, string>>;
  readonly tokenEndpoint: string | undefined;
  readonly vocabulary: Vocabulary;
}

const defaults = {
  typ: 'at+jwt',
  clockTolerance: 5,
  cacheSize: 1000,
  severalCredentials: 'refuse',
  preflight: 'answer',
  now: systemTime,
  onUnavailable: (): void => undefined,
} as const;

/**
 * Checks the options of a guard, fills in the defaults and freezes the result.
 *
 * @throws {TypeError} listing every problem at once.
 */
export function resolveGuardOptions(options: GuardOptions<object>): ResolvedGuardOptions {
  const found = guardOptionProblems(options);
  if (found.length > 0) throw new TypeError(`createGuard: ${found.join('; ')}`);
  return Object.freeze({
    keys: options.keys ?? issuerJwkSet(options.issuer),
    realm: options.issuer,
    algorithms: undefined,
    changes: undefined,
    isRevoked: undefined,
    claims: undefined,
    scopes: {},
    ...defaults,
    ...options,
    tokenEndpoint: resolveTokenEndpoint(options),
    credentials: resolveSources(options.credentials ?? [{ in: 'header' }]),
    vocabulary: {
      scopes: options.scopes && new Set(Object.keys(options.scopes)),
      roles: options.roles && new Set(options.roles),
    },
    feed: options.feed && resolveFeedOptions(options.feed, options.issuer),
  });
}

function resolveTokenEndpoint({ issuer, tokenEndpoint }: GuardOptions<object>): string | undefined {
  return tokenEndpoint === false ? undefined : (tokenEndpoint ?? `${issuer.replace(/\/$/, '')}/token`);
}
