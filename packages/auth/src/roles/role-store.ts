import type { Role } from './role.ts';

/** Keeps roles and their scopes. */
export interface RoleStore {
  find(name: string): Promise<Role | undefined>;
  /** In alphabetical order. */
  list(): Promise<readonly Role[]>;
  set(name: string, scopes: readonly string[]): Promise<void>;
  delete(name: string): Promise<void>;
  /** Makes every other transaction that locks the same role wait for this one to end; false when there is no such role. */
  lock(name: string): Promise<boolean>;
}
