import type {
  ConfirmedEnd,
  Confirmation,
  FeedCredential,
  Role,
  Session,
  SigningKeyInfo,
  TokenPair,
  User,
} from '@sallyport/auth';
import type {
  ConfirmationBody,
  FeedCredentialBody,
  PageBody,
  RevokedBody,
  RoleBody,
  SessionBody,
  SigningKeyBody,
  TokenBody,
  UserBody,
} from './schemas.ts';

/** How a user looks on the wire. */
export function showUser({ id, username, email, roles, disabled, createdAt }: User): UserBody {
  return { id, username, email: email ?? null, roles, disabled, created_at: createdAt.toISOString() };
}

/** How a session looks on the wire, to a caller who may be in it. */
function showSession(session: Session, currentId: string | undefined): SessionBody {
  return {
    id: session.id,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    user_agent: session.userAgent ?? null,
    address: session.address ?? null,
    current: session.id === currentId,
  };
}

/** How all sessions of a user look on the wire: on one page. */
export function showSessions(sessions: readonly Session[], currentId: string | undefined): PageBody<SessionBody> {
  return { items: sessions.map((each) => showSession(each, currentId)), next_cursor: null };
}

/** How a role looks on the wire. */
export function showRole({ name, scopes, builtIn }: Role): RoleBody {
  return { name, scopes, built_in: builtIn };
}

/** How a signing key looks on the wire. */
export function showSigningKey({ keyId, algorithm, stage, createdAt, activatesAt }: SigningKeyInfo): SigningKeyBody {
  return { id: keyId, algorithm, stage, created_at: createdAt.toISOString(), activates_at: activatesAt.toISOString() };
}

/**
 * The token response.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-5.1 RFC 6749, section 5.1}
 */
export function showTokens({ accessToken, refreshToken, expiresIn, scope }: TokenPair): TokenBody {
  return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn, refresh_token: refreshToken, scope };
}

/** How a feed credential looks to an administrator: never the credential itself. */
export function showFeedCredential({ id, name, createdAt }: FeedCredential): FeedCredentialBody {
  return { id, name, created_at: createdAt.toISOString() };
}

/** How it looks on the wire what became of a wait for guards. */
export function showConfirmation({ acknowledged, lapsed, pending, milliseconds }: Confirmation): ConfirmationBody {
  return { acknowledged, lapsed, pending, milliseconds };
}

/** How it looks on the wire that sessions have ended and guards know. */
export function showRevoked({ ended, confirmation }: ConfirmedEnd): RevokedBody {
  return { revoked: ended, confirmation: showConfirmation(confirmation) };
}
