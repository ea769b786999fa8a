import { describe, expect, it } from 'vitest';
import {
  exportJwk,
  exportPublicJwk,
  JwtError,
  issuerJwkSet,
  jwkSet,
  remoteJwkSet,
  type KeysRefusal,
  type RemoteJwkSet,
} from '../src/index.ts';
import { aKey } from './fixtures.ts';

const url = 'https://auth.example.com/jwks';
const text = JSON.stringify(jwkSet([aKey('ES256')]));

interface Asked {
  readonly url: string;
  readonly init: RequestInit | undefined;
}

/** A `fetch` that keeps what it was asked for. */
function answering(answer: (asked: Asked) => Response | Promise<Response>): { fetch: typeof fetch; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetching = (location: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const one = { url: location instanceof Request ? location.url : String(location), init };
    asked.push(one);
    return Promise.resolve(answer(one));
  };
  return { fetch: fetching, asked };
}

async function refusalOf(keys: RemoteJwkSet): Promise<JwtError<'keys_unavailable'>> {
  const error: unknown = await keys.refresh().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof JwtError) return error as JwtError<'keys_unavailable'>;
  throw new Error('Expected a refusal', { cause: error });
}

async function reasonFor(answer: () => Response | Promise<Response>): Promise<KeysRefusal> {
  return (await refusalOf(remoteJwkSet(url, { fetch: answering(answer).fetch }))).details.reason;
}

describe('K5 a document', () => {
  it('is asked for as JSON, without following redirects, for a bounded time', async () => {
    const { fetch, asked } = answering(() => new Response(text));
    await remoteJwkSet(url, { fetch }).refresh();
    expect(asked).toMatchObject([
      { url, init: { redirect: 'manual', headers: { accept: 'application/json' }, signal: { aborted: false } } },
    ]);
  });

  it('may have exactly as many bytes as are allowed', async () => {
    const { fetch } = answering(() => new Response(text));
    await expect(remoteJwkSet(url, { fetch, maxBytes: text.length }).refresh()).resolves.toBeUndefined();
    const refusal = await refusalOf(remoteJwkSet(url, { fetch, maxBytes: text.length - 1 }));
    expect(refusal.details.reason).toBe('size');
  });

  it('may come in pieces', async () => {
    const pieces = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        start(stream) {
          for (const character of text) stream.enqueue(Buffer.from(character));
          stream.close();
        },
      });
    const { fetch } = answering(() => new Response(pieces()));
    const keys = remoteJwkSet(url, { fetch, maxBytes: text.length });
    await keys.refresh();
    expect(keys.keys).toEqual(JSON.parse(text));
    const refusal = await refusalOf(remoteJwkSet(url, { fetch, maxBytes: text.length - 1 }));
    expect(refusal.details.reason).toBe('size');
  });

  it('must be there, with the status 200', async () => {
    expect(await reasonFor(() => new Response(undefined, { status: 200 }))).toBe('content');
    expect(await reasonFor(() => new Response(undefined, { status: 204 }))).toBe('status');
    expect(await reasonFor(() => new Response(text, { status: 201 }))).toBe('status');
    expect(await reasonFor(() => new Response(undefined, { status: 304 }))).toBe('status');
  });

  it('has its body given up when the status is another', async () => {
    let isGivenUp = false;
    const body = new ReadableStream({ cancel: () => void (isGivenUp = true) });
    expect(await reasonFor(() => new Response(body, { status: 500 }))).toBe('status');
    expect(isGivenUp).toBe(true);
  });

  it('holds a list of objects called keys', async () => {
    for (const document of [
      'null',
      '[]',
      '7',
      '{}',
      '{"keys":{}}',
      '{"keys":[null]}',
      '{"keys":[7]}',
      '{"keys":[{},"x"]}',
    ])
      expect(await reasonFor(() => new Response(document))).toBe('content');
  });
});

describe('the error of a fetch', () => {
  it('has what went wrong on the way for its cause', async () => {
    const cause = new Error('nobody is there');
    const error = await refusalOf(remoteJwkSet(url, { fetch: () => Promise.reject(cause) }));
    expect(error).toMatchObject({ details: { reason: 'network' }, cause });
  });

  it('says of unusable keys what is wrong with them', async () => {
    const weak = answering(() => Response.json({ keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256' }] }));
    const error = await refusalOf(remoteJwkSet(url, { fetch: weak.fetch }));
    expect(error).toMatchObject({ details: { reason: 'content' }, cause: { code: 'key_invalid' } });
    const secret = answering(() => Response.json({ keys: [{ kty: 'oct', alg: 'HS256', k: 'x'.repeat(43) }] }));
    const mixed = answering(() => Response.json({ keys: [exportPublicJwk(aKey('ES256')), exportJwk(aKey('RS256'))] }));
    for (const { fetch } of [secret, mixed]) {
      const other = await refusalOf(remoteJwkSet(url, { fetch }));
      expect(other.cause).toEqual(new TypeError('The set holds a secret'));
    }
  });

  it('has no cause when the answer itself is at fault', async () => {
    for (const answer of [() => new Response(undefined, { status: 500 }), () => Response.json({ keys: [null] })]) {
      const { fetch } = answering(answer);
      expect(Object.hasOwn(await refusalOf(remoteJwkSet(url, { fetch })), 'cause')).toBe(false);
    }
  });
});

describe('the search for the metadata of an issuer', () => {
  const places = [
    'https://auth.example.com/.well-known/oauth-authorization-server/one',
    'https://auth.example.com/one/.well-known/oauth-authorization-server',
    'https://auth.example.com/one/.well-known/openid-configuration',
  ];

  it('ends with what is wrong at the last place', async () => {
    const { fetch, asked } = answering(({ url: place }) =>
      place === places[2] ? new Response('[]') : new Response(undefined, { status: 404 }),
    );
    const refusal = await refusalOf(issuerJwkSet('https://auth.example.com/one', { fetch }));
    expect(refusal.details.reason).toBe('content');
    expect(asked.map((one) => one.url)).toEqual(places);
  });

  it('ends when its time is over', async () => {
    const { fetch, asked } = answering(
      ({ init }) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new Error('too late')));
        }),
    );
    const refusal = await refusalOf(issuerJwkSet('https://auth.example.com/one', { fetch, timeout: 1 }));
    expect(refusal.details.reason).toBe('timeout');
    expect(asked).toHaveLength(1);
  });

  it.each([
    'https://auth.example.com',
    'https://auth.example.com/',
    'https://auth.example.com/one',
    'https://auth.example.com/one/',
    'https://auth.example.com/a//b/',
  ])('takes the URL object of %s for the same name', async (name) => {
    const issuer = name === 'https://auth.example.com/' ? 'https://auth.example.com' : name;
    const { fetch, asked } = answering(({ url: place }) =>
      place === url ? new Response(text) : Response.json({ issuer, jwks_uri: url }),
    );
    await issuerJwkSet(new URL(name), { fetch }).refresh();
    expect(asked).toHaveLength(2);
  });
});
