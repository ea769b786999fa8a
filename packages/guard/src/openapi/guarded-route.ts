import type { Protection } from './protections.ts';

/** A route, and what stands before its handler. */
export interface GuardedRoute {
  /** As its framework writes it: `/todos/:id`. */
  readonly path: string;
  /** In small letters. */
  readonly method: string;
  readonly protections: readonly Protection[];
}

/** A guard that stands before everything below a path. */
export interface StandingGuard {
  readonly mount: string;
  readonly protections: readonly Protection[];
}

/** The guards that stand before a path. */
export function protectionsBefore(path: string, standing: readonly StandingGuard[]): readonly Protection[] {
  return standing
    .filter(({ mount }) => mount === '' || path === mount || path.startsWith(`${mount}/`))
    .flatMap(({ protections }) => protections);
}

/** A member of something whose type nobody promises. */
export function memberOf(value: unknown, name: string): unknown {
  const isObject = (typeof value === 'object' || typeof value === 'function') && value !== null;
  return isObject ? Reflect.get(value, name) : undefined;
}

export function listIn(value: unknown, name: string): readonly unknown[] {
  const member = memberOf(value, name);
  return Array.isArray(member) ? member : [];
}
