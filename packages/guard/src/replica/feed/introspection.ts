import { parseScope } from '@sallyport/jwt';
import type { Rights } from '../../rights.ts';
import type { Revocation } from '../knowledge.ts';
import { share } from '../rights-memory.ts';
import { type Clocks, elapsed, type Moment, momentOf } from './clocks.ts';
import { type FeedNode, readWhole } from './feed-node.ts';
import { membersOf, parseMessage } from './messages.ts';

/** What the issuer says of a token: the rights of its owner, or that it is not live. */
export type Introspected = Rights | Revocation;

export interface IntrospectionOptions {
  /** Whom to ask, the best one first. */
  readonly nodes: () => readonly FeedNode[];
  readonly clocks: Clocks;
}

/** An answer, or the question that is under way. */
interface Asked {
  readonly answer: Promise<Introspected | undefined>;
  readonly at: Moment;
}

const longestAnswer = 65_536;
/** How long a node may take, in milliseconds; how long its answer counts; how long nobody is asked after a failure. */
const patience = 1000;
const shelfLife = 1000;
const pauseAfterFailure = 1000;
/** Tokens that are asked about or remembered at once. A guard that is cut off must not become a flood. */
const mostTokens = 1000;
const mostUnderWay = 32;
const nodesAsked = 2;

/** Asks the issuer about single tokens, while the guard itself does not know. Bounded in everything. */
export class Introspection {
  readonly #options: IntrospectionOptions;
  readonly #asked = new Map<string, Asked>();
  #underWay = 0;
  #failedAt: Moment | undefined;

  constructor(options: IntrospectionOptions) {
    this.#options = options;
  }

  /** What the issuer says, now or within the last second; undefined when no node answers or too many are asked. */
  ask(token: string): Promise<Introspected | undefined> {
    const now = momentOf(this.#options.clocks);
    const known = this.#asked.get(token);
    if (known !== undefined && elapsed(known.at, now) < shelfLife) return known.answer;
    const hasFailed = this.#failedAt !== undefined && elapsed(this.#failedAt, now) < pauseAfterFailure;
    if (hasFailed || this.#underWay >= mostUnderWay) return Promise.resolve(undefined);
    this.#makeRoom(now);
    const answer = this.#askNodes(token);
    this.#asked.set(token, { answer, at: now });
    return answer;
  }

  #makeRoom(now: Moment): void {
    for (const [token, { at }] of this.#asked) {
      if (elapsed(at, now) < shelfLife && this.#asked.size < mostTokens) return;
      this.#asked.delete(token);
    }
  }

  async #askNodes(token: string): Promise<Introspected | undefined> {
    this.#underWay += 1;
    try {
      for (const node of this.#options.nodes().slice(0, nodesAsked)) {
        const answer = await askNode(node, token).catch(() => undefined);
        if (answer !== undefined) return answer;
      }
      this.#failedAt = momentOf(this.#options.clocks);
      this.#asked.delete(token);
      return undefined;
    } finally {
      this.#underWay -= 1;
    }
  }
}

async function askNode(node: FeedNode, token: string): Promise<Introspected> {
  const body = { type: 'application/x-www-form-urlencoded', text: new URLSearchParams({ token }).toString() };
  const request = { path: 'token/introspect', accept: 'application/json', body, patience, holdsProcess: true };
  const text = await readWhole(await node.send(request), longestAnswer, patience);
  const { active, scope, roles } = membersOf(parseMessage(text.toString()));
  if (active !== true) return 'token_revoked';
  const names: readonly unknown[] = Array.isArray(roles) ? roles : [];
  return share({
    roles: new Set(names.filter((name) => typeof name === 'string')),
    scopes: parseScope(typeof scope === 'string' ? scope : ''),
  });
}
