export { coversScope } from '@sallyport/jwt';
export type { Access } from './access.ts';
export { authorizationLines, type GuardedRequest } from './credentials.ts';
export { createGuard, type Guard, type Verdict } from './guard.ts';
export type { GuardOptions } from './guard-options.ts';
export type { ProblemDetails, Refusal, RefusalCode } from './refusal.ts';
export { type Change, type ChangeBatch, type ChangeKind, changeKinds, type ChangeSource } from './replica/change.ts';
export { type Requirement, type ResolvedRequirement, resolveRequirement } from './requirement.ts';
