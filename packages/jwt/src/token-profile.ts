import { invalid, isText } from './claims.ts';
import type { Fault } from './fault.ts';
import type { JsonObject } from './json.ts';

/** What a kind of token asks of its claims beyond RFC 7519. */
export interface TokenProfile {
  /** The claims it must carry to be checked at all. */
  readonly required: readonly string[];
  /** Checks the types of the claims that are its own; returns the first fault. */
  readonly shapesFault: (claims: JsonObject) => Fault | undefined;
}

/** The `typ` of access tokens. */
export const accessTokenType = 'at+jwt';

/** RFC 9068, sections 2.2 and 4, `auth_time` included; `sid` of OpenID Connect, and `af`, the position of our feed. */
export const accessTokenProfile: TokenProfile = {
  required: ['iss', 'sub', 'aud', 'exp'],
  shapesFault: ({ client_id, scope, roles, sid, af, auth_time }) => {
    if (client_id !== undefined && !isText(client_id)) return invalid('client_id');
    if (scope !== undefined && typeof scope !== 'string') return invalid('scope');
    if (roles !== undefined && !isTextList(roles)) return invalid('roles');
    if (sid !== undefined && typeof sid !== 'string') return invalid('sid');
    if (auth_time !== undefined && !Number.isFinite(auth_time)) return invalid('auth_time');
    return af === undefined || isPosition(af) ? undefined : invalid('af');
  },
};

const plainProfile: TokenProfile = { required: [], shapesFault: () => undefined };

/** The profile of tokens that are expected to have a `typ`. */
export function profileOf(typ: string | undefined): TokenProfile {
  return typ !== undefined && mediaType(typ) === accessTokenType ? accessTokenProfile : plainProfile;
}

/** Compares media types: any case, `application/` may be left out (RFC 7515, section 4.1.9). */
export function hasType(typ: string | undefined, expected: string): boolean {
  return typ !== undefined && (typ === expected || mediaType(typ) === mediaType(expected));
}

function mediaType(typ: string): string {
  const type = typ.toLowerCase();
  return type.startsWith('application/') ? type.slice('application/'.length) : type;
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isPosition(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
