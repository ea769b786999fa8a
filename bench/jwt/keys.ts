import { createPrivateKey, createPublicKey, createSecretKey, webcrypto, type KeyObject } from 'node:crypto';
import { exportJwk, generateKey, publicKey, type Algorithm, type JwtKey } from '@sallyport/jwt';

/** The algorithms that are measured: one of each kind. */
export const algorithms = ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA'] as const satisfies readonly Algorithm[];

export type MeasuredAlgorithm = (typeof algorithms)[number];

/** Both halves of a key, in one of the forms the libraries take. */
interface Halves<Form> {
  readonly signing: Form;
  readonly verifying: Form;
}

/** One key, made ready for each library in the form that is quickest for it. */
export interface BenchKey {
  readonly algorithm: MeasuredAlgorithm;
  readonly keyId: string;
  readonly own: Halves<JwtKey>;
  readonly keyObjects: Halves<KeyObject>;
  readonly cryptoKeys: Halves<webcrypto.CryptoKey>;
  /** PEM text, or the bytes of a secret. */
  readonly texts: Halves<string | Buffer>;
}

/** The algorithms as WebCrypto names them. */
const parameters: { readonly [Name in MeasuredAlgorithm]: webcrypto.HmacImportParams | webcrypto.EcKeyImportParams } = {
  HS256: { name: 'HMAC', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519', namedCurve: 'Ed25519' },
};

/** Generates a key for an algorithm. */
export async function aBenchKey(algorithm: MeasuredAlgorithm): Promise<BenchKey> {
  const keyId = 'key-2026';
  const own = await generateKey(algorithm, { keyId });
  return { algorithm, keyId, ...(own.type === 'secret' ? await formsOfSecret(own) : await formsOfPair(own)) };
}

type Forms = Omit<BenchKey, 'algorithm' | 'keyId'>;

async function formsOfSecret(own: JwtKey): Promise<Forms> {
  const bytes = Buffer.from(exportJwk(own).k ?? '', 'base64url');
  const keyObject = createSecretKey(bytes);
  const cryptoKey = await webcrypto.subtle.importKey('raw', bytes, parameters.HS256, false, ['sign', 'verify']);
  return {
    own: { signing: own, verifying: own },
    keyObjects: { signing: keyObject, verifying: keyObject },
    cryptoKeys: { signing: cryptoKey, verifying: cryptoKey },
    texts: { signing: bytes, verifying: bytes },
  };
}

async function formsOfPair(own: JwtKey): Promise<Forms> {
  const signing = createPrivateKey({ key: { ...exportJwk(own) }, format: 'jwk' });
  const verifying = createPublicKey(signing);
  const [pkcs8, spki] = [{ type: 'pkcs8' }, { type: 'spki' }] as const;
  const algorithm = parameters[own.algorithm as MeasuredAlgorithm];
  const { subtle } = webcrypto;
  return {
    own: { signing: own, verifying: publicKey(own) },
    keyObjects: { signing, verifying },
    cryptoKeys: {
      signing: await subtle.importKey('pkcs8', signing.export({ ...pkcs8, format: 'der' }), algorithm, false, ['sign']),
      verifying: await subtle.importKey('spki', verifying.export({ ...spki, format: 'der' }), algorithm, false, [
        'verify',
      ]),
    },
    texts: {
      signing: signing.export({ ...pkcs8, format: 'pem' }),
      verifying: verifying.export({ ...spki, format: 'pem' }),
    },
  };
}
