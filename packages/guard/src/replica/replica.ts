import type { AccessTokenClaims, VerifiedJwt } from '@sallyport/jwt';
import { liveRights, type Rights } from '../rights.ts';
import { type Change, type ChangeBatch, type ChangeKind, type ChangeSource, changeKinds } from './change.ts';
import { ChangeTable } from './change-table.ts';
import { SerialReads } from './serial-reads.ts';

/** The token as the replica sees it: verified, its claims still unjudged. */
export type AccessToken = VerifiedJwt<AccessTokenClaims>;

/** The changes cannot be known at present: the source is down or speaks of kinds this version does not know. */
export class ChangesUnavailableError extends Error {
  override readonly name = 'ChangesUnavailableError';
}

export interface ReplicaOptions {
  readonly source: ChangeSource;
  readonly now: () => Date;
  /** How long one read may take, in milliseconds. Default: 5000. */
  readonly timeout?: number;
}

/** What ends a token, and the claim that says whether it is meant. */
const deaths: readonly { kind: ChangeKind; keyIn: (claims: AccessTokenClaims) => unknown }[] = [
  { kind: changeKinds.sessionDead, keyIn: (claims) => claims.sid },
  { kind: changeKinds.userFloor, keyIn: (claims) => claims.sub },
  { kind: changeKinds.organisationFloor, keyIn: (claims) => claims['o'] },
  { kind: changeKinds.clientFloor, keyIn: (claims) => claims.client_id },
  { kind: changeKinds.globalFloor, keyIn: () => '' },
  { kind: changeKinds.tokenDead, keyIn: (claims) => claims.jti },
];

const defaultTimeout = 5000;
const sweepMargin = 60;
const milliseconds = 1000;

/** What an earlier incarnation of the log had said, for the tokens issued while it was the truth. */
interface FormerHistory {
  readonly table: ChangeTable;
  /** Epoch seconds. */
  readonly until: number;
}

/**
 * A live copy of what the change log says about tokens that may still be alive.
 *
 * Ask {@link Replica.refresh} first; the answers after it are as current as the source's.
 */
export class Replica {
  readonly #source: ChangeSource;
  readonly #now: () => Date;
  readonly #timeout: number;
  readonly #reads: SerialReads = new SerialReads(() => this.#read());
  #incarnation: string | undefined;
  #head = 0;
  #table = new ChangeTable();
  #former: FormerHistory | undefined;
  #sweptAt = 0;

  constructor({ source, now, timeout = defaultTimeout }: ReplicaOptions) {
    this.#source = source;
    this.#now = now;
    this.#timeout = timeout;
  }

  /**
   * Catches up with the change log by a read that begins after this call.
   *
   * @throws {ChangesUnavailableError} when the source is down, or says something this version must but cannot follow.
   */
  async refresh(): Promise<void> {
    await this.#reads.fresh();
    const unsupported = this.#table.findUnsupported() ?? this.#former?.table.findUnsupported();
    if (unsupported === undefined) return;
    const { sequence, kind } = unsupported;
    throw new ChangesUnavailableError(
      `Change ${String(sequence)} is of kind ${String(kind)}, which this version does not know: upgrade @sallyport/guard`,
    );
  }

  /** What the changes say against a token, if anything. */
  findRevocation({ header, claims }: AccessToken): 'token_revoked' | 'token_invalid' | undefined {
    const former = this.#formerHistoryOf(claims);
    if (header.kid !== undefined && this.#isKeyDead(header.kid)) return 'token_invalid';
    const isDead = (table: ChangeTable, position: number): boolean =>
      deaths.some(({ kind, keyIn }) => concerns(table, kind, keyIn(claims), position) !== undefined);
    if (isDead(this.#table, this.#positionOf(claims))) return 'token_revoked';
    return former !== undefined && isDead(former, statedPosition(claims)) ? 'token_revoked' : undefined;
  }

  /** The rights a token's owner has now. */
  rightsOf(claims: AccessTokenClaims): Rights {
    const former = this.#formerHistoryOf(claims);
    const override =
      concerns(this.#table, changeKinds.userOverride, claims.sub, this.#positionOf(claims)) ??
      (former && concerns(former, changeKinds.userOverride, claims.sub, statedPosition(claims)));
    return liveRights(claims, {
      currentRoles: override && namesIn(override.data, 'roles'),
      scopesOf: (role) => {
        const definition = this.#table.find(changeKinds.roleDefinition, role);
        return definition && definition.data !== null ? namesIn(definition.data, 'scopes') : undefined;
      },
    });
  }

  async #read(): Promise<void> {
    const now = this.#now().getTime() / milliseconds;
    // A clock set back makes swept changes matter again.
    const cursor = now < this.#sweptAt - sweepMargin ? 0 : this.#head;
    let batch = await this.#readSince(cursor);
    if (this.#isAnotherHistory(batch)) {
      if (cursor > 0) batch = await this.#readSince(0);
      this.#startOver(now);
    }
    for (const change of batch.changes) this.#table.apply(change);
    this.#incarnation = batch.incarnation;
    this.#head = batch.head;
    this.#sweep(now);
  }

  async #readSince(cursor: number): Promise<ChangeBatch> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${String(this.#timeout)} ms`));
      }, this.#timeout);
    });
    try {
      return await Promise.race([this.#source.readSince(cursor), tooLong]);
    } catch (cause) {
      throw new ChangesUnavailableError('The change source is down', { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #isAnotherHistory({ incarnation, head }: ChangeBatch): boolean {
    return this.#incarnation !== undefined && (incarnation !== this.#incarnation || head < this.#head);
  }

  /** A restored log forgets revocations; a guard that saw them does not, as long as their tokens may live. */
  #startOver(now: number): void {
    if (this.#former !== undefined) this.#table.absorb(this.#former.table);
    this.#former = { table: this.#table, until: now };
    this.#table = new ChangeTable();
  }

  #sweep(now: number): void {
    if (now >= this.#sweptAt && now < this.#sweptAt + sweepMargin) return;
    this.#table.sweep(now - sweepMargin);
    this.#former?.table.sweep(now - sweepMargin);
    this.#sweptAt = now;
  }

  /** Whoever holds a dead key can write any `af` and `iat`, so neither is asked here. */
  #isKeyDead(keyId: string): boolean {
    return [this.#table, this.#former?.table].some((table) => table?.find(changeKinds.keyDead, keyId) !== undefined);
  }

  #formerHistoryOf({ iat }: AccessTokenClaims): ChangeTable | undefined {
    if (this.#former === undefined) return undefined;
    return iat === undefined || iat <= this.#former.until ? this.#former.table : undefined;
  }

  /** Where in the log a token was issued. A place the log has not reached belongs to a history that was lost: 0. */
  #positionOf(claims: AccessTokenClaims): number {
    const position = statedPosition(claims);
    return position <= this.#head ? position : 0;
  }
}

/** A token that does not say where in the log it was issued is older than every change. */
function statedPosition({ af }: AccessTokenClaims): number {
  return af ?? 0;
}

/** The change of this kind and key, if it came after the token. */
function concerns(table: ChangeTable, kind: ChangeKind, key: unknown, position: number): Change | undefined {
  const change = typeof key === 'string' ? table.find(kind, key) : undefined;
  return change !== undefined && position < change.sequence ? change : undefined;
}

/** The list of names under `member`. Anything unreadable names nothing, and so grants nothing. */
function namesIn(data: unknown, member: string): readonly string[] {
  if (typeof data !== 'object' || data === null) return [];
  const list: unknown = Object.hasOwn(data, member) ? Reflect.get(data, member) : undefined;
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
}
