export {
  expiryOf,
  isAboutRoles,
  latest,
  marked,
  roleDefinition,
  sessionDead,
  type Change,
  type ChangeBatch,
  type LogPosition,
  type NewChange,
} from './changes/change.ts';
export type { ChangeStore, ExpiryCursor } from './changes/change-store.ts';
export type { FeedCredential, FeedCredentialRecord } from './feed/feed-credential.ts';
export type { FeedCredentialStore } from './feed/feed-credential-store.ts';
export type { GuardProgress, GuardStore, PresentGuard } from './feed/guard-store.ts';
export type { SigningKeyRecord } from './keys/signing-key.ts';
export type { SigningKeyStore } from './keys/signing-key-store.ts';
export { builtInRoles, isBuiltIn, type Role } from './roles/role.ts';
export type { RoleStore } from './roles/role-store.ts';
export type { SessionEndReason, SessionRecord } from './sessions/session.ts';
export type { Position, SessionStanding, SessionStore, SessionUse } from './sessions/session-store.ts';
export type { Migrated, Repositories, Store, Transaction } from './stores/store.ts';
export type { Pruned } from './upkeep/pruned.ts';
export type { User, UserRecord } from './users/user.ts';
export type { Folded } from './users/username.ts';
export type { NewUserRecord, UserChanges, UserConflict, UserQuery, UserStore } from './users/user-store.ts';
