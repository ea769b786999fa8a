import { userOverride } from '../changes/change.ts';
import { lastIssue } from '../sessions/sessions.ts';
import type { Transaction } from '../stores/store.ts';

/** Replaces a user's roles, in tokens that were issued before, too. The roles must be locked. */
export async function replaceRoles(
  transaction: Transaction,
  userId: string,
  roles: readonly string[],
  now: Date,
): Promise<void> {
  await transaction.users.setRoles(userId, roles);
  transaction.append(userOverride(userId, roles, await lastIssue(transaction, userId, now)));
}
