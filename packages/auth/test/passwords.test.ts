import { hash, verify } from '@node-rs/argon2';
import { describe, expect, it, vi } from 'vitest';
import { expectWithin } from '../../jwt/test/expect-within.ts';
import { PasswordHashes } from '../src/passwords/password-hashes.ts';
import { PasswordPolicy } from '../src/passwords/password-policy.ts';
import { PasswordQueue } from '../src/passwords/password-queue.ts';
import { systemRandom } from '../src/ports.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import { anAuth, password } from './auth-fixture.ts';

// Here hashes cost what they cost in production.
vi.unmock('../src/passwords/password-cost.ts');
vi.mock('@node-rs/argon2', { spy: true });

const hashes = new PasswordHashes(systemRandom);
const policy = new PasswordPolicy(8, ['sallyport', 'auth.example.com']);

/** What a password is checked against when nobody has the name. */
async function decoyOf(fresh: PasswordHashes): Promise<string> {
  await fresh.verify(password, undefined);
  return String(vi.mocked(verify).mock.lastCall?.[0]);
}

describe('password hashes', () => {
  it('P5: are Argon2id with 19 MiB, two passes and a random salt', async () => {
    const [one, other] = [await hashes.hash(password), await hashes.hash(password)];
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$/);
    expect(one).not.toBe(other);
    expect(await hashes.verify(password, one)).toBe(true);
    expect(await hashes.verify(`${password}!`, one)).toBe(false);
  });

  it('P2: look at the whole password, however long', async () => {
    const long = 'x1!'.repeat(100);
    const hashed = await hashes.hash(long);
    expect(await hashes.verify(long.slice(0, 72), hashed)).toBe(false);
    expect(await hashes.verify(long.slice(0, -1), hashed)).toBe(false);
    expect(await hashes.verify(long, hashed)).toBe(true);
  });

  it('P3: are the same for every way to type one password', async () => {
    const hashed = await hashes.hash('Zoë naïve passphrase'.normalize('NFC'));
    expect(await hashes.verify('Zoë naïve passphrase'.normalize('NFD'), hashed)).toBe(true);
    expect(await hashes.verify('Zoë\u00A0naïve\u3000passphrase', hashed)).toBe(true);
    expect(await hashes.verify('Zoe naive passphrase', hashed)).toBe(false);
  });

  it('P6: without a hash do the same work and say no', async () => {
    expect(await hashes.verify(password, undefined)).toBe(false);
    expect(await hashes.verify('', undefined)).toBe(false);
    const decoy = await decoyOf(hashes);
    const shapeOf = (hashed: string): string => hashed.replaceAll(/[\w+/]{22,}/g, ({ length }) => `<${length}>`);
    expect(shapeOf(decoy)).toBe(shapeOf(await hashes.hash(password)));
    expect(await decoyOf(new PasswordHashes(systemRandom))).not.toBe(decoy);
  });

  it('P5: are made anew at sign-in when they are weaker than today’s, and only by the right password', async () => {
    const weak = await hash(password, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    const store = sqlite(':memory:');
    const { auth } = await anAuth({}, store);
    const { id } = await auth.users.register({ username: 'ada', password });
    await store.users.setPasswordHash(id, weak);
    await auth.signIn({ username: 'ada', password: 'not the password' }).catch(() => undefined);
    expect((await store.users.find(id))?.passwordHash).toBe(weak);
    await auth.signIn({ username: 'ada', password });
    expect((await store.users.find(id))?.passwordHash).toMatch(/m=19456,t=2,p=1/);
    await auth.signIn({ username: 'ada', password });
    await auth.close();
  });
});

describe('the password policy', () => {
  const refusal = async (text: string, personal: string[] = []): Promise<string | undefined> => {
    try {
      await policy.validate(text, personal);
      return undefined;
    } catch (error) {
      expect(error).toMatchObject({ code: 'password_refused' });
      return (error as { details: { reason: string } }).details.reason;
    }
  };

  it.each([
    ['a sentence', 'correct horse battery staple'],
    ['64 characters', '0vJ3xLw9TqZb7RfYc2NsKd5GmHp8UeAi4WoXkQy6CrDt1SzVgBnMhFjElPuOaI_-'],
    [
      '256 code points with spaces and accents',
      [...'zwölf boxkämpfer jagen eva quer über den großen sylter deich '].join('').repeat(5).slice(0, 256),
    ],
    ['15 different emoji', '🐎🔋📎🌋🚂🪐🧭🦜🍋🎻🧵🛶🥨🗿🪁'],
    ['no digit and no capital', 'mquzvkwjtrwp'],
  ])('P1: accepts %s', async (_, text) => {
    expect(await refusal(text)).toBeUndefined();
  });

  it.each([
    ['seven characters', 'Xk7#pQ2', /at least 8/],
    ['seven emoji, counting code points', '🐎🔋📎🌋🚂🪐🧭', /at least 8/],
    ['a thousand and more', 'qk7-'.repeat(300), /at most 1024/],
    ['a common password', 'password1234567', /common/],
    ['a keyboard row', 'qwertyuiop', /.+/],
    ['the product', 'Sallyport', /own name/],
    ['the product with a year', 'sallyport2026', /guess|common|.+/],
    ['a NUL', 'correct horse\0battery', /control/],
    ['half a character', 'correct horse \uD800 battery', /Unicode/],
  ])('P4: refuses %s and says why', async (_, text, reason) => {
    expect(await refusal(text)).toMatch(reason);
  });

  it('P4: refuses the user’s own name and address', async () => {
    expect(await refusal('ada.lovelace', ['ada.lovelace'])).toMatch(/own name/);
    expect(await refusal('Ada.Lovelace@Example.com', ['ada', 'ada.lovelace@example.com'])).toMatch(/own name/);
  });

  it.each([
    ['l33t spellings', '4@8({[<369&#!1/|0$5+7%2*z'.repeat(40)],
    ['repetition', 'a'.repeat(1024)],
    ['combining marks', `a${'\u0301\u0323'.repeat(100_000)}`],
  ])('does not stop the process for %s', async (_, hostile) => {
    await expectWithin(500, () => refusal(hostile));
  });
});

describe('the password queue', () => {
  it('runs no more at once than it is wide, in the order of arrival', async () => {
    const queue = new PasswordQueue(2);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const work = async (name: number): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(name);
      running -= 1;
    };
    await Promise.all(Array.from({ length: 10 }, (_, name) => queue.run(() => work(name))));
    expect(most).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('goes on after work that failed', async () => {
    const queue = new PasswordQueue(1);
    await expect(queue.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await queue.run(() => Promise.resolve('yes'))).toBe('yes');
  });

  it('turns callers away with `busy` instead of letting the queue grow without end', async () => {
    const queue = new PasswordQueue(1);
    let finish = (): void => undefined;
    const first = queue.run(() => new Promise<void>((resolve) => (finish = resolve)));
    const waiting = Array.from({ length: 256 }, () => queue.run(() => Promise.resolve()));
    await expect(queue.run(() => Promise.resolve())).rejects.toMatchObject({
      code: 'busy',
      details: { retryAfter: 2 },
    });
    finish();
    await Promise.all([first, ...waiting]);
  });
});
