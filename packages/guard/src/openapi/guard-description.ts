import type { ResolvedSource } from '../credentials/credential-source.ts';

/** What the documentation of an API says of its guard. */
export interface GuardDescription {
  readonly credentials: readonly ResolvedSource[];
  /** Where people sign in, if that can be said. */
  readonly tokenEndpoint: string | undefined;
  /** The scopes there are, each with a sentence. */
  readonly scopes: Readonly<Record<string, string>>;
  /** The scopes that routes were found to ask for. */
  readonly asked: Set<string>;
}

const descriptions = new WeakMap<object, GuardDescription>();

export function describeGuardAs(guard: object, description: Omit<GuardDescription, 'asked'>): void {
  descriptions.set(guard, { ...description, asked: new Set() });
}

/** What is known of a guard; nothing of one that `createGuard` has not made. */
export function descriptionOf(guard: object): GuardDescription | undefined {
  return descriptions.get(guard);
}
