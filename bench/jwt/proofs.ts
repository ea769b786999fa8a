import { verifyJwt } from '@sallyport/jwt';
import type { BenchKey } from './keys.ts';
import type { Library, Sign, Verify } from './libraries.ts';
import { aToken, audience, issuer, someClaims } from './tokens.ts';

/**
 * Makes a verifier and proves that it does the work it is measured by: it accepts an honest token, and looks at the
 * signature, the issuer, the audience and both times.
 */
export async function aProvenVerifier({ name, make }: Library<Verify>, key: BenchKey): Promise<Verify> {
  const verify = make(key);
  const now = Math.floor(Date.now() / 1000);
  const honest = aToken(key);
  if (!(await accepts(verify, honest))) throw new Error(`${name} refuses an honest token of ${key.algorithm}`);
  const bad: Readonly<Record<string, string>> = {
    'a bad signature': withBadSignature(honest),
    'another issuer': aToken(key, someClaims({ iss: `${issuer}/` })),
    'another audience': aToken(key, someClaims({ aud: `${audience}/` })),
    'an expiry in the past': aToken(key, someClaims({ exp: now - 60 })),
    'a beginning in the future': aToken(key, someClaims({ nbf: now + 600 })),
  };
  for (const [what, token] of Object.entries(bad)) {
    if (await accepts(verify, token)) throw new Error(`${name} accepts a token of ${key.algorithm} with ${what}`);
  }
  return verify;
}

/** Makes a signer and proves that it signs the claims it is given. */
export async function aProvenSigner({ name, make }: Library<Sign>, key: BenchKey): Promise<Sign> {
  const sign = make(key);
  const claims = someClaims();
  const { claims: read } = verifyJwt(String(await sign(claims)), { keys: key.own.verifying, issuer, audience });
  if (read.jti !== claims.jti) throw new Error(`${name} does not sign what it is given`);
  return sign;
}

/** The same token with one character in the middle of the signature changed, so that its encoding stays canonical. */
export function withBadSignature(token: string): string {
  const at = Math.floor((token.lastIndexOf('.') + token.length) / 2);
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

async function accepts(verify: Verify, token: string): Promise<boolean> {
  try {
    await verify(token);
    return true;
  } catch {
    return false;
  }
}
