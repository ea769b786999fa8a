import type { Access, AnyTerms, Terms } from './access.ts';
import type { Refusal } from './refusal.ts';

/** What a guard makes of a request. `access` is `undefined` only where the requirement says `optional`. */
export type Verdict<Words extends Terms = AnyTerms> =
  | { readonly granted: true; readonly access: Access<Words> | undefined }
  | { readonly granted: false; readonly refusal: Refusal };
