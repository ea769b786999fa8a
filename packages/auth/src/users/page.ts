import { AuthError } from '../errors.ts';

/** A part of a longer list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Ask with it for the next part; absent at the end. */
  readonly nextCursor: string | undefined;
}

/** Hides a sort key in a cursor, so that callers do not build on it. */
export function writeCursor(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/** @throws {AuthError} `value_invalid` when the cursor is none of ours */
export function readCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length === 0 || bytes.toString('base64url') !== cursor) {
    throw new AuthError('value_invalid', 'cursor refused', {
      field: 'cursor',
      reason: 'it is not a cursor of this list',
    });
  }
  return bytes.toString('utf8');
}
