import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';

/**
 * A refresh token is a counter with a MAC: `version (1) | session id (8) | generation (6) | MAC (16)`, base64url.
 *
 * The MAC is HMAC-SHA256 over the session's salt and the first 15 bytes, cut to 128 bits. The key is not in the
 * database and the salt is not with the key, so neither alone forges a token, and no copy of a token is kept anywhere.
 */
const version = 1;
const signedBytes = 15;
const macBytes = 16;
const tokenLength = Math.ceil(((signedBytes + macBytes) * 4) / 3);

/** What a well-formed refresh token says; nothing of it is proven yet. */
export interface PresentedRefreshToken {
  readonly sessionId: string;
  readonly generation: number;
  readonly bytes: Buffer;
}

/** Makes refresh tokens under one secret, and checks them under it and the one before it. */
export class RefreshTokens {
  readonly #key: KeyObject;
  readonly #previous: KeyObject | undefined;

  /** @param previous an earlier secret: its tokens are still good, and their successors are made with the present one */
  constructor(secret: Uint8Array, previous?: Uint8Array) {
    this.#key = deriveKey(secret);
    this.#previous = previous === undefined ? undefined : deriveKey(previous);
  }

  /** The refresh token of one generation of a session: always the same for the same input. */
  make(sessionId: string, generation: number, salt: Uint8Array): string {
    const bytes = Buffer.alloc(signedBytes + macBytes);
    bytes[0] = version;
    bytes.write(sessionId, 1, 8, 'base64url');
    bytes.writeUIntBE(generation, 9, 6);
    mac(this.#key, bytes, salt).copy(bytes, signedBytes);
    return bytes.toString('base64url');
  }

  /** Whether this server made the token for the session with this salt. Takes the same time for each wrong MAC. */
  isGenuine(token: PresentedRefreshToken, salt: Uint8Array): boolean {
    return isUnder(this.#key, token, salt) || (this.#previous !== undefined && isUnder(this.#previous, token, salt));
  }
}

function deriveKey(secret: Uint8Array): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'sallyport refresh token 1', 32)));
}

function isUnder(key: KeyObject, { bytes }: PresentedRefreshToken, salt: Uint8Array): boolean {
  return timingSafeEqual(mac(key, bytes, salt), bytes.subarray(signedBytes));
}

function mac(key: KeyObject, bytes: Buffer, salt: Uint8Array): Buffer {
  const whole = createHmac('sha256', key).update(salt).update(bytes.subarray(0, signedBytes)).digest();
  return whole.subarray(0, macBytes);
}

/** Reads a refresh token; undefined when it is not one of any server's making. */
export function parseRefreshToken(token: string): PresentedRefreshToken | undefined {
  if (token.length !== tokenLength) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== signedBytes + macBytes || bytes.toString('base64url') !== token) return undefined;
  if (bytes[0] !== version) return undefined;
  return {
    sessionId: bytes.subarray(1, 9).toString('base64url'),
    generation: bytes.readUIntBE(9, 6),
    bytes,
  };
}
