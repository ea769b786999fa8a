/** The scopes this server's own routes ask for, as they are offered in the metadata and the API document. */
export const ownScopes = {
  'users:read': 'Read users and their sessions',
  'users:write': 'Create, change, disable and delete users, and end their sessions',
  'roles:read': 'Read roles and their scopes',
  'roles:write': 'Define and delete roles',
  'keys:read': 'Read the signing keys and their stages',
  'keys:write': 'Rotate the signing key',
  'tokens:introspect': 'Ask whether a token is live (RFC 7662)',
} as const;

/** A scope that a route of this server can require. */
export type OwnScope = keyof typeof ownScopes;
