import { createHash, timingSafeEqual } from 'node:crypto';
import { AuthError } from '../errors.ts';
import { randomId, type Random } from '../ports.ts';

/** What a guard shows to follow the feed, as people see it: never the credential itself. */
export interface FeedCredential {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}

/** A credential as it is kept: of its secret, only what recognises it. */
export interface FeedCredentialRecord extends FeedCredential {
  /** base64url of the SHA-256 of the secret. It has 256 random bits, so nothing slower is needed. */
  readonly secretHash: string;
}

/** A credential as it is shown, taken apart. */
export interface PresentedCredential {
  readonly id: string;
  readonly secret: string;
}

/** So that people and programs that look for leaked secrets know one when they see it. */
const prefix = 'spfeed_';
const secretBytes = 32;
const written = new RegExp(`^${prefix}([\\w-]{11})([\\w-]{43})$`);
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Makes a credential: the text for its holder, and the record for the database. */
export function newCredential(
  name: string,
  random: Random,
  createdAt: Date,
): { readonly credential: string; readonly record: FeedCredentialRecord } {
  validateName(name);
  const id = randomId(random);
  const secret = random.bytes(secretBytes).toString('base64url');
  return { credential: `${prefix}${id}${secret}`, record: { id, name, createdAt, secretHash: hashOf(secret) } };
}

/** Takes a credential apart; undefined when it is none, whoever made it. */
export function parseCredential(text: string): PresentedCredential | undefined {
  const [, id, secret] = written.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Whether a secret is that of a record, in the same time for any wrong one. */
export function isGenuine({ secret }: PresentedCredential, { secretHash }: FeedCredentialRecord): boolean {
  return timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(secretHash));
}

/** Shows a record to an administrator. */
export function toFeedCredential({ id, name, createdAt }: FeedCredentialRecord): FeedCredential {
  return { id, name, createdAt };
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function validateName(name: string): void {
  if (nameForm.test(name)) return;
  const reason = 'use 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit';
  throw new AuthError('value_invalid', 'credential name refused', { field: 'name', reason });
}
