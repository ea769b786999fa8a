import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import {
  createSigner,
  createVerifier,
  type Algorithm as FastJwtAlgorithm,
  type JwtHeader as FastJwtHeader,
} from 'fast-jwt';
import { CompactSign, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { algorithmNames, exportJwk, exportPublicJwk, type Algorithm, type JwtErrorCode } from '../src/index.ts';
import { aKey, audience, issuer, now, seconds, someClaims } from './fixtures.ts';

/** What a token is made of, whoever signs it. */
export interface Sample {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** One reason for which we refuse what a peer accepts. */
interface Difference {
  /** The samples that may be judged differently for this reason. */
  readonly covers: (sample: Sample) => boolean;
  /** Samples that are judged differently, one for each part of the reason. */
  readonly examples: readonly Sample[];
}

/** Another library, used the way its users use it, with the same expectations as ours. */
export interface Peer {
  readonly name: string;
  /** The algorithms it shares with us. */
  readonly algorithms: readonly Algorithm[];
  /** Signs a sample, or throws because the library does not sign such a thing. It may also change what it signs. */
  readonly sign: (sample: Sample, algorithm: Algorithm) => string | Promise<string>;
  /** Returns the claims of a token it accepts, and throws otherwise. */
  readonly accept: (token: string, algorithm: Algorithm) => unknown;
  /** Why it may accept what we refuse, by our code. */
  readonly differences: { readonly [Code in JwtErrorCode]?: Difference };
}

/** The halves of a key as `node:crypto` knows them. */
interface KeyHalves {
  readonly signing: KeyObject;
  readonly verifying: KeyObject;
}

/** Calls a function once for each algorithm, and remembers. */
function once<Value>(make: (algorithm: Algorithm) => Value): (algorithm: Algorithm) => Value {
  const made = new Map<Algorithm, Value>();
  return (algorithm) => {
    const value = made.get(algorithm) ?? make(algorithm);
    made.set(algorithm, value);
    return value;
  };
}

const halves = once((algorithm): KeyHalves => {
  const key = aKey(algorithm);
  if (key.type === 'secret') {
    const secret = createSecretKey(String(exportJwk(key).k), 'base64url');
    return { signing: secret, verifying: secret };
  }
  return {
    signing: createPrivateKey({ key: { ...exportJwk(key) }, format: 'jwk' }),
    verifying: createPublicKey({ key: { ...exportPublicJwk(key) }, format: 'jwk' }),
  };
});

/** An honest sample but for these members. */
const sampleWith = (claims: object, header: object = {}): Sample => ({
  header: { ...header },
  claims: { ...someClaims(), ...claims },
});

const isString = (value: unknown): boolean => typeof value === 'string';
const isText = (value: unknown): boolean => isString(value) && value !== '';
const isDate = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= 8.64e12;

/** Whether one of these members is there, and is not what it should be. */
const hasWrong = (record: object, names: readonly string[], isRight: (value: unknown) => boolean): boolean =>
  names.some((name) => Object.hasOwn(record, name) && !isRight(Reflect.get(record, name)));

/** No peer looks at `sub` and `jti` unless asked for one, and all take a number of seconds as far as it goes. */
const strangeClaims: readonly object[] = [{ sub: '' }, { jti: 7 }, { exp: 1e99 }, { nbf: -1e99 }, { iat: -1e99 }];
const hasStrangeClaims = ({ claims }: Sample): boolean =>
  hasWrong(claims, ['sub', 'jti'], isText) || hasWrong(claims, ['exp', 'nbf', 'iat'], isDate);

/** What all of them leave to the caller: when a token was issued, and whether its header is about the key in hand. */
const differencesOfAll = {
  not_yet_valid: {
    covers: ({ claims: { iat } }) => typeof iat === 'number' && iat > seconds,
    examples: [sampleWith({ iat: seconds + 60 })],
  },
  token_malformed: {
    covers: ({ header }) => hasWrong(header, ['typ', 'kid'], isString),
    examples: [sampleWith({}, { kid: 7 }), sampleWith({}, { typ: null })],
  },
  key_not_found: {
    covers: ({ header: { kid } }) => typeof kid === 'string' && !kid.startsWith('key-'),
    examples: [sampleWith({}, { kid: 'other' })],
  },
} as const satisfies Peer['differences'];

const jose: Peer = {
  name: 'jose',
  algorithms: algorithmNames,
  sign: ({ header, claims }, algorithm) =>
    new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ ...header, alg: algorithm })
      .sign(halves(algorithm).signing),
  accept: async (token, algorithm) => {
    const options = { issuer, audience, currentDate: now, requiredClaims: ['exp'], algorithms: [algorithm] };
    return (await jwtVerify(token, halves(algorithm).verifying, options)).payload;
  },
  differences: {
    ...differencesOfAll,
    // One entry of aud is enough for it, whatever the others are.
    claims_invalid: {
      covers: (sample) => hasStrangeClaims(sample) || hasStrangeAudience(sample),
      examples: [...strangeClaims, { aud: [audience, 1] }].map((claims) => sampleWith(claims)),
    },
    // It knows b64, and crit that names it.
    critical_header_unsupported: {
      covers: ({ header }) => Object.hasOwn(header, 'b64'),
      examples: [sampleWith({}, { b64: true }), sampleWith({}, { b64: true, crit: ['b64'] })],
    },
  },
};

function hasStrangeAudience({ claims }: Sample): boolean {
  return hasWrong(claims, ['aud'], (aud) => Array.isArray(aud) && aud.every(isText));
}

const jsonWebToken: Peer = {
  name: 'jsonwebtoken',
  algorithms: algorithmNames.filter((name) => !name.startsWith('Ed')),
  // It writes typ JWT and an iat of its own unless told otherwise, and signs no times that are not numbers.
  sign: ({ header, claims }, algorithm) =>
    jsonwebtoken.sign({ ...claims }, halves(algorithm).signing, {
      algorithm: algorithm as jsonwebtoken.Algorithm,
      header: { typ: undefined, ...header, alg: algorithm } as unknown as jsonwebtoken.JwtHeader,
      noTimestamp: !Object.hasOwn(claims, 'iat'),
    }),
  accept: (token, algorithm) =>
    jsonwebtoken.verify(token, halves(algorithm).verifying, {
      algorithms: [algorithm as jsonwebtoken.Algorithm],
      issuer,
      audience,
      clockTimestamp: seconds,
    }),
  differences: {
    ...differencesOfAll,
    // It never looks at iat. One entry of aud is enough for it, whatever the others are.
    claims_invalid: {
      covers: (sample) => hasStrangeClaims(sample) || hasStrangeAudience(sample),
      examples: [...strangeClaims, { iat: 'x' }, { aud: [audience, 1] }].map((claims) => sampleWith(claims)),
    },
    // It cannot require a claim: without exp a token lives forever.
    claim_missing: {
      covers: ({ claims }) => !Object.hasOwn(claims, 'exp'),
      examples: [{ header: {}, claims: { iss: issuer, aud: audience } }],
    },
    // It knows neither b64 nor crit.
    critical_header_unsupported: {
      covers: ({ header }) => Object.hasOwn(header, 'b64') || Object.hasOwn(header, 'crit'),
      examples: [sampleWith({}, { b64: true }), sampleWith({}, { crit: ['x'], x: 1 })],
    },
  },
};

/** It takes keys as PEM text, and secrets as bytes. */
const fastJwtSigningKey = once((algorithm) => {
  const { signing } = halves(algorithm);
  return signing.type === 'secret' ? signing.export() : signing.export({ type: 'pkcs8', format: 'pem' });
});

const fastJwtVerifier = once((algorithm) => {
  const { verifying } = halves(algorithm);
  return createVerifier({
    key: verifying.type === 'secret' ? verifying.export() : verifying.export({ type: 'spki', format: 'pem' }),
    algorithms: [algorithm as FastJwtAlgorithm],
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: ['exp'],
    clockTimestamp: now.getTime(),
  });
});

const fastJwt: Peer = {
  name: 'fast-jwt',
  algorithms: algorithmNames.filter((name) => name !== 'Ed25519'),
  // It writes typ JWT and an iat of its own unless told otherwise, drops times that are 0 and rounds iat.
  sign: ({ header, claims }, algorithm) =>
    createSigner({
      key: fastJwtSigningKey(algorithm),
      algorithm: algorithm as FastJwtAlgorithm,
      header: { typ: undefined, ...header, alg: algorithm } as unknown as FastJwtHeader,
      noTimestamp: !Object.hasOwn(claims, 'iat'),
    })({ ...claims }),
  accept: (token, algorithm): unknown => fastJwtVerifier(algorithm)(token),
  differences: {
    ...differencesOfAll,
    // It looks at iat only to find the age of a token. All entries of aud must be strings, be they empty.
    claims_invalid: {
      covers: (sample) => hasStrangeClaims(sample) || hasEmptyAudience(sample),
      examples: [...strangeClaims, { iat: 'x' }, { aud: [audience, ''] }].map((claims) => sampleWith(claims)),
    },
    // A token is still good at the moment it expires.
    expired: {
      covers: ({ claims: { exp } }) => exp === seconds,
      examples: [sampleWith({ exp: seconds })],
    },
    // It refuses crit, unless that is empty in the eyes of JavaScript, and does not know b64.
    critical_header_unsupported: {
      covers: ({ header }) => Object.hasOwn(header, 'b64') || (Object.hasOwn(header, 'crit') && !header['crit']),
      examples: [sampleWith({}, { b64: true }), sampleWith({}, { crit: null })],
    },
  },
};

function hasEmptyAudience({ claims: { aud } }: Sample): boolean {
  return Array.isArray(aud) && aud.every(isString) && aud.includes('');
}

/** The libraries that must agree with ours, but for the differences they name. */
export const peers: readonly Peer[] = [jose, jsonWebToken, fastJwt];
