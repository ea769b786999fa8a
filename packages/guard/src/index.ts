export { coversScope } from '@sallyport/jwt';
export type { Access, AnyTerms, CallersOnly, Demand, Policy, Requirement, Terms, TokenKind } from './access.ts';
export { AccessRefusedError } from './access-refused-error.ts';
export {
  type CookieRenewal,
  type CookieRenewalOptions,
  createCookieRenewal,
  type RenewableRequest,
} from './credentials/cookie-renewal.ts';
export type {
  BodySource,
  CookieSource,
  CredentialSource,
  HeaderSource,
  QuerySource,
} from './credentials/credential-source.ts';
export type { SeveralCredentials } from './credentials/credentials.ts';
export { csrfTokenFor } from './credentials/csrf.ts';
export {
  fetchRequest,
  type FetchRequest,
  type GuardedRequest,
  nodeRequest,
  type NodeRequest,
  type RequestDetails,
} from './credentials/guarded-request.ts';
export {
  createSessionCookies,
  type PresentedSession,
  type SessionCookieOptions,
  type SessionCookies,
  type SessionTokens,
} from './credentials/session-cookies.ts';
export { createGuard, type Guard } from './guard.ts';
export type { GuardOptions } from './guard-options.ts';
export type { ProblemDetails, Refusal, RefusalCode } from './refusal.ts';
export { type Change, type ChangeBatch, type ChangeKind, changeKinds, type ChangeSource } from './replica/change.ts';
export type { FeedOptions } from './replica/feed/feed-options.ts';
export type { Transport } from './replica/feed/transport-choice.ts';
export type { GuardStatus, MaxStaleness } from './replica/truth.ts';
export { type ResolvedRequirement, resolveRequirement, type Vocabulary } from './requirement.ts';
export type { Verdict } from './verdict.ts';
export type { Watch } from './watch.ts';
