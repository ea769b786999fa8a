import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMaxStaleness, type MaxStaleness, maxStalenessRule } from '../truth.ts';
import type { Transport } from './transport-choice.ts';

/** How a guard follows the feed of its issuer. */
export interface FeedOptions {
  /** What lets this guard in: made by `sallyport feed-credentials create NAME`. Keep it like a password. */
  readonly credential: string;
  /**
   * The base URLs of the issuer's server processes: https, or http on a loopback address. The guard follows one and
   * goes on to the next when it fails. Default: the issuer alone.
   */
  readonly nodes?: readonly string[];
  /**
   * How old the guard's knowledge may be, in seconds from 1 to 86400, or `'until-expiry'`; a route may ask for another
   * bound. Over it the guard asks the issuer about each token, or answers 503. Default: 30.
   */
  readonly maxStaleness?: MaxStaleness;
  /**
   * `'stream'`: news comes at once. `'poll'`: the guard asks for it. `'auto'`: a stream, and polling where something
   * on the way makes streams useless. Default: `'auto'`.
   */
  readonly transport?: Transport;
  /**
   * A file in which the guard keeps the issuer's signed snapshot, so that it decides at once after a restart. It is
   * made with mode 0600 in a folder that must exist. Default: none.
   */
  readonly snapshotFile?: string;
}

export interface ResolvedFeedOptions extends Required<Omit<FeedOptions, 'snapshotFile'>> {
  readonly snapshotFile: string | undefined;
}

const defaults = { maxStaleness: 30, transport: 'auto', snapshotFile: undefined } as const;
const missing = { credential: undefined } as const;

// What may stand in an Authorization header behind the scheme.
const credentialText = /^[\x21-\x7E]+$/;
const transports: readonly unknown[] = ['auto', 'stream', 'poll'] satisfies Transport[];

/** One line per option: what is wrong with its value, or `undefined`. Values are never repeated: one is a secret. */
const rules: Readonly<Record<keyof FeedOptions, (value: unknown) => string | undefined>> = {
  credential: (value) =>
    typeof value === 'string' && credentialText.test(value)
      ? undefined
      : 'feed.credential must be what `sallyport feed-credentials create` printed',
  nodes: (value) =>
    Array.isArray(value) && value.length > 0
      ? undefined
      : 'feed.nodes must be a non-empty list of URLs, each https or http on a loopback address',
  maxStaleness: (value) => (isMaxStaleness(value) ? undefined : `feed.${maxStalenessRule}`),
  transport: (value) => (transports.includes(value) ? undefined : "feed.transport must be 'auto', 'stream' or 'poll'"),
  snapshotFile: (value) =>
    typeof value === 'string' && value !== '' && isPlaceForFile(value)
      ? undefined
      : 'feed.snapshotFile must be a path in a folder that exists and can be written',
};

/** What is wrong with the feed options of a guard; nothing: an empty list. `isNode` tells whether a URL may be trusted. */
export function feedProblems(options: unknown, isNode: (url: unknown) => boolean): readonly string[] {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return ['feed must be an object such as { credential }'];
  }
  const { nodes = [] } = options as { readonly nodes?: unknown };
  const found = Object.entries<unknown>({ ...missing, ...options }).map(([name, value]) =>
    Object.hasOwn(rules, name)
      ? rules[name as keyof FeedOptions](value)
      : `unknown option "feed.${name}" (known: ${Object.keys(rules).join(', ')})`,
  );
  const strange = Array.isArray(nodes) && !nodes.every(isNode) ? rules.nodes(undefined) : undefined;
  return [...new Set([...found, strange])].filter((problem) => problem !== undefined);
}

/** Fills in the defaults of options that were checked. */
export function resolveFeedOptions(options: FeedOptions, issuer: string): ResolvedFeedOptions {
  return Object.freeze({ ...defaults, ...options, nodes: Object.freeze([...(options.nodes ?? [issuer])]) });
}

function isPlaceForFile(path: string): boolean {
  const folder = dirname(resolve(path));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}
