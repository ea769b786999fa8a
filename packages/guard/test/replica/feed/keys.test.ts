import { describe, expect, it } from 'vitest';
import { changeKinds, type Guard } from '@sallyport/guard';
import { generateKey, type JwtKey, jwkSet, publicKey, type RemoteJwkSet, remoteJwkSet } from '@sallyport/jwt';
import { aFollowing, caughtUp, verdictOn } from '../../feed-fixture.ts';
import { anAccessToken, issuerKey } from '../../tokens.ts';
import { until } from '../../until.ts';

const nextKey = await generateKey('ES256', { keyId: 'issuer-2' });

/** An issuer that publishes its keys; as ever, they are fetched anew only after half a minute. */
class Publisher {
  published: JwtKey = issuerKey;
  isDown = false;
  fetches = 0;
  readonly keys: RemoteJwkSet = remoteJwkSet('https://auth.example.test/jwks.json', {
    fetch: () => {
      this.fetches += 1;
      return this.isDown
        ? Promise.reject(new TypeError('fetch failed'))
        : Promise.resolve(Response.json(jwkSet([publicKey(this.published)])));
    },
  });
}

async function claimsOf(guard: Guard, token: string): Promise<unknown> {
  const verdict = await guard.check({ authorization: [`Bearer ${token}`] });
  return verdict.granted && verdict.access?.claims;
}

describe('K4 keys that come in place of others', () => {
  it('are believed as soon as the feed says that a key is dead, and the dead one no longer', async () => {
    const publisher = new Publisher();
    const { server, guard } = await aFollowing({ keys: publisher.keys });
    const [former, next] = [anAccessToken({ af: 2 }), anAccessToken({ af: 3 }, nextKey)];
    expect(await verdictOn(guard, former)).toBe('granted');
    publisher.published = nextKey;
    server.append({ kind: changeKinds.keyDead, key: 'issuer-1' });
    await caughtUp(guard, server);
    expect(await verdictOn(guard, former)).toBe('token_invalid');
    expect(await verdictOn(guard, next)).toBe('granted');
  });

  it('are not called bad while the issuer cannot be asked for them', async () => {
    const publisher = new Publisher();
    const { server, guard } = await aFollowing({ keys: publisher.keys });
    publisher.published = nextKey;
    publisher.isDown = true;
    server.append({ kind: changeKinds.keyDead, key: 'issuer-1' });
    await caughtUp(guard, server);
    const next = anAccessToken({ af: 3 }, nextKey);
    expect(await verdictOn(guard, next)).toBe('temporarily_unavailable');
    publisher.isDown = false;
    await until('the keys are fetched again', async () => (await verdictOn(guard, next)) === 'granted');
  });

  it('are believed after a restore, whose snapshot they sign', async () => {
    const publisher = new Publisher();
    const { server, guard } = await aFollowing({ keys: publisher.keys });
    publisher.published = nextKey;
    server.signer = nextKey;
    server.restore(2);
    await caughtUp(guard, server);
    expect(await verdictOn(guard, anAccessToken({ af: server.head }, nextKey))).toBe('granted');
  });

  it('are believed while there is no connection that could tell of them', async () => {
    const publisher = new Publisher();
    const { server, guard } = await aFollowing({ keys: publisher.keys });
    await server.stop();
    await until('the guard knows', () => !guard.status().connected);
    publisher.published = nextKey;
    const verdict = await verdictOn(guard, anAccessToken({ af: 2 }, nextKey));
    expect(verdict).toBe('granted');
  });

  it('leave what was verified remembered when only a connection is lost', async () => {
    const publisher = new Publisher();
    const { server, guard } = await aFollowing({ keys: publisher.keys, cacheSize: 10 });
    const token = anAccessToken({ af: 2 });
    const claims = await claimsOf(guard, token);
    // Claims that are remembered are the same object.
    expect(await claimsOf(guard, token)).toBe(claims);
    await server.stop();
    await until('the guard knows', () => !guard.status().connected);
    expect(await claimsOf(guard, token)).toBe(claims);
    await server.start();
    server.append({ kind: changeKinds.keyDead, key: 'issuer-0' });
    await caughtUp(guard, server);
    expect(await claimsOf(guard, token)).not.toBe(claims);
  });

  it('cost few requests, whatever key ids strangers make up meanwhile', async () => {
    const publisher = new Publisher();
    const { server, guard } = await aFollowing({ keys: publisher.keys });
    server.append({ kind: changeKinds.keyDead, key: 'issuer-0' });
    await caughtUp(guard, server);
    const before = publisher.fetches;
    const stranger = anAccessToken({}, nextKey);
    for (let index = 0; index < 200; index += 1) expect(await verdictOn(guard, stranger)).toBe('token_invalid');
    expect(publisher.fetches - before).toBeLessThanOrEqual(3);
  });
});
