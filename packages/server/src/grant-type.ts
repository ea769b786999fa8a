import { HttpError } from './http-error.ts';

/** A grant type that this server knows. */
export type GrantType = 'password' | 'refresh_token';

/**
 * Refuses a token request whose `grant_type` is none of these; one without it passes.
 *
 * It is looked at before anything else: a client that speaks another grant sends fields that are unknown here, and must
 * learn that the grant is the reason.
 *
 * @throws {HttpError} `grant_type_unsupported`
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2 RFC 6749, section 5.2}
 */
export function requireGrantType(body: object, supported: readonly GrantType[]): void {
  const type = 'grant_type' in body ? body.grant_type : undefined;
  const isSupported = typeof type !== 'string' || supported.some((each) => each === type);
  if (!isSupported) throw new HttpError('grant_type_unsupported', { supported });
}
