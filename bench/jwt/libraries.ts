import { createJwtVerifier, signJwt, verifyJwt } from '@sallyport/jwt';
import { createSigner, createVerifier } from 'fast-jwt';
import { sign as honoSign, verify as honoVerify } from 'hono/jwt';
import { jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { repeat, repeatAsync, type Contender } from '../rounds.ts';
import type { BenchKey, MeasuredAlgorithm } from './keys.ts';
import { audience, issuer, typ, type BenchClaims } from './tokens.ts';

/** Accepts a good token, and throws or rejects otherwise. */
export type Verify = (token: string) => unknown;

/** Makes a token of claims. */
export type Sign = (claims: BenchClaims) => unknown;

/** One way to do something with tokens. Libraries get keys made beforehand, in the form that is quickest for them. */
export interface Library<Act> {
  readonly name: string;
  /** It answers with promises. */
  readonly isAsync?: true;
  /** What it does not support. */
  readonly lacks?: readonly MeasuredAlgorithm[];
  readonly make: (key: BenchKey) => Act;
}

/** The libraries that can do something with a key. */
export function ableTo<Act>(libraries: readonly Library<Act>[], { algorithm }: BenchKey): Library<Act>[] {
  return libraries.filter(({ lacks }) => lacks?.includes(algorithm) !== true);
}

/** A library at work; what answers with promises keeps some calls in flight. */
export function contend<Act>(
  { name, isAsync }: Library<Act>,
  work: (index: number) => unknown,
  inFlight = 1,
): Contender {
  return isAsync === true ? repeatAsync(name, work, inFlight) : repeat(name, work);
}

export const createdVerifier: Library<Verify> = {
  name: 'sallyport createJwtVerifier',
  make: ({ own, algorithm }) => {
    const verifier = createJwtVerifier({ keys: own.verifying, algorithms: [algorithm], issuer, audience, typ });
    return (token) => verifier.verify(token);
  },
};

export const oneShotVerifier: Library<Verify> = {
  name: 'sallyport verifyJwt',
  make: ({ own, algorithm }) => {
    const options = { keys: own.verifying, algorithms: [algorithm], issuer, audience, typ } as const;
    return (token) => verifyJwt(token, options);
  },
};

export const joseVerifier: Library<Verify> = {
  name: 'jose',
  isAsync: true,
  make: ({ cryptoKeys, algorithm }) => {
    const options = { issuer, audience, typ, algorithms: [algorithm] };
    return (token) => jwtVerify(token, cryptoKeys.verifying, options);
  },
};

/** It does not look at `typ`. */
const jsonWebTokenVerifier: Library<Verify> = {
  name: 'jsonwebtoken',
  lacks: ['EdDSA'],
  make: ({ keyObjects, algorithm }) => {
    const options = { algorithms: [algorithm as jsonwebtoken.Algorithm], issuer, audience };
    return (token) => jsonwebtoken.verify(token, keyObjects.verifying, options);
  },
};

/** A verifier of fast-jwt that remembers so many tokens. */
export function makeFastJwtVerifier({ texts, algorithm }: BenchKey, cache: number | false): Verify {
  const options = { algorithms: [algorithm], allowedIss: issuer, allowedAud: audience, checkTyp: typ, cache };
  return createVerifier({ ...options, key: texts.verifying });
}

export const fastJwtVerifier: Library<Verify> = {
  name: 'fast-jwt',
  make: (key) => makeFastJwtVerifier(key, false),
};

/** With its cache at its default size, which distinct tokens never hit. */
const cachingFastJwtVerifier: Library<Verify> = {
  name: 'fast-jwt (cache on)',
  make: (key) => makeFastJwtVerifier(key, 1000),
};

const honoVerifier: Library<Verify> = {
  name: 'hono/jwt',
  isAsync: true,
  make: ({ cryptoKeys, algorithm }) => {
    const options = { alg: algorithm, iss: issuer, aud: audience, typ };
    return (token) => honoVerify(token, cryptoKeys.verifying, options);
  },
};

export const peerVerifiers: readonly Library<Verify>[] = [
  joseVerifier,
  jsonWebTokenVerifier,
  fastJwtVerifier,
  cachingFastJwtVerifier,
  honoVerifier,
];

export const ownSigner: Library<Sign> = {
  name: 'sallyport signJwt',
  make:
    ({ own }) =>
    (claims) =>
      signJwt(claims, own.signing, { typ }),
};

const joseSigner: Library<Sign> = {
  name: 'jose',
  isAsync: true,
  make: ({ cryptoKeys, algorithm, keyId }) => {
    const header = { alg: algorithm, kid: keyId, typ };
    return (claims) => new SignJWT(claims).setProtectedHeader(header).sign(cryptoKeys.signing);
  },
};

const jsonWebTokenSigner: Library<Sign> = {
  name: 'jsonwebtoken',
  lacks: ['EdDSA'],
  make: ({ keyObjects, algorithm, keyId }) => {
    const name = algorithm as jsonwebtoken.Algorithm;
    const options = { algorithm: name, header: { alg: name, kid: keyId, typ } };
    return (claims) => jsonwebtoken.sign(claims, keyObjects.signing, options);
  },
};

const fastJwtSigner: Library<Sign> = {
  name: 'fast-jwt',
  make: ({ texts, algorithm, keyId }) =>
    createSigner({ key: texts.signing, algorithm, kid: keyId, header: { alg: algorithm, typ } }),
};

/** It writes a header of its own: `typ` is JWT, and there is no `kid`. */
const honoSigner: Library<Sign> = {
  name: 'hono/jwt',
  isAsync: true,
  make:
    ({ cryptoKeys, algorithm }) =>
    (claims) =>
      honoSign(claims, cryptoKeys.signing, algorithm),
};

export const peerSigners: readonly Library<Sign>[] = [joseSigner, jsonWebTokenSigner, fastJwtSigner, honoSigner];
