import { fetchJsonDocument, trustedUrl, unavailable, type FetchLimits } from './json-document.ts';

/**
 * Finds where an issuer publishes its keys.
 *
 * Tries RFC 8414 and then OpenID Connect Discovery. Metadata that names another issuer is never believed: that is
 * how one issuer would pass its keys off as another's.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414.html#section-3 RFC 8414, section 3}
 */
export async function findJwksUri(issuer: string, limits: FetchLimits): Promise<URL> {
  let refusal: unknown;
  for (const location of metadataLocations(issuer)) {
    try {
      return await readJwksUri(issuer, location, limits);
    } catch (error) {
      refusal = error;
    }
    if (limits.signal.aborted) break;
  }
  throw refusal;
}

/** The places where metadata may be, in the order they are tried. */
export function metadataLocations(issuer: string): readonly URL[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const locations = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/oauth-authorization-server`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(locations)].map((location) => new URL(location));
}

async function readJwksUri(issuer: string, location: URL, limits: FetchLimits): Promise<URL> {
  const metadata = await fetchJsonDocument(location, limits);
  if (metadata['issuer'] !== issuer || typeof metadata['jwks_uri'] !== 'string') throw unavailable('issuer');
  const jwksUri = parseTrusted(metadata['jwks_uri']);
  // Only an issuer on loopback may point to plain http there.
  if (jwksUri === undefined || (location.protocol === 'https:' && jwksUri.protocol !== 'https:'))
    throw unavailable('issuer');
  return jwksUri;
}

function parseTrusted(url: string): URL | undefined {
  try {
    return trustedUrl(url);
  } catch {
    return undefined;
  }
}
