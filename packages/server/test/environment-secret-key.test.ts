import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EnvironmentError, readEnvironment, type Settings } from '../src/environment.ts';
import { newSecretKey, resolveSecretKey } from '../src/environment/secret-key.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-key-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keyFile = (): string => join(folder, 'data/secret.key');
const settings = (more: Readonly<Record<string, string>> = {}): Settings =>
  readEnvironment({ process: { DATABASE_URL: `file:${join(folder, 'data/x.db')}`, ...more } });

describe('K7 the key file', () => {
  it('is made on the first start, for its owner only, and read on the next', () => {
    const first = resolveSecretKey(settings());
    expect(readFileSync(keyFile(), 'utf8')).toBe(`${first.secretKey}\n`);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    expect(resolveSecretKey(settings())).toEqual({ secretKey: first.secretKey, file: keyFile(), warning: undefined });
    expect(readdirSync(join(folder, 'data'))).toEqual(['secret.key']);
  });

  it('is not made when SECRET_KEY is set or the database is in memory', () => {
    const secretKey = newSecretKey();
    expect(resolveSecretKey(settings({ SECRET_KEY: secretKey }))).toMatchObject({ secretKey, file: undefined });
    const inMemory = settings({ DATABASE_URL: 'memory:' });
    expect(resolveSecretKey(inMemory).secretKey).not.toBe(resolveSecretKey(inMemory).secretKey);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not replaced when it went missing from beside its database', () => {
    resolveSecretKey(settings());
    writeFileSync(join(folder, 'data/x.db'), 'SQLite format 3');
    rmSync(keyFile());
    expect(() => resolveSecretKey(settings())).toThrow(/SECRET_KEY is not set and its file .* is missing/);
  });

  it('is made for a database file that holds nothing yet', () => {
    resolveSecretKey(settings());
    writeFileSync(join(folder, 'data/x.db'), '');
    rmSync(keyFile());
    expect(resolveSecretKey(settings()).file).toBe(keyFile());
  });

  it('is told by its name when it cannot be read', () => {
    resolveSecretKey(settings());
    rmSync(keyFile());
    mkdirSync(keyFile());
    expect(() => resolveSecretKey(settings())).toThrow(
      /SECRET_KEY is not set and its file .* cannot be read \(EISDIR\)/,
    );
  });

  it.each(['', 'secret', 'a'.repeat(64)])('is refused when it holds %j', (text) => {
    resolveSecretKey(settings());
    writeFileSync(keyFile(), text);
    expect(() => resolveSecretKey(settings())).toThrow(EnvironmentError);
  });

  it('is refused when it is too short for the algorithm', () => {
    resolveSecretKey(settings());
    writeFileSync(keyFile(), newSecretKey().slice(0, 40));
    expect(() => resolveSecretKey(settings())).not.toThrow();
    expect(() => resolveSecretKey(settings({ ALGORITHM: 'HS512' }))).toThrow('HS512 needs 64 bytes');
  });

  it('comes with a warning when others can read it', () => {
    resolveSecretKey(settings());
    chmodSync(keyFile(), 0o644);
    expect(resolveSecretKey(settings()).warning).toContain('chmod 600');
  });

  it('gets its folder made, however deep, for its owner only', () => {
    resolveSecretKey(settings({ DATABASE_URL: `file:${join(folder, 'a/b/c/x.db')}` }));
    for (const made of ['a', 'a/b', 'a/b/c']) expect(statSync(join(folder, made)).mode & 0o777).toBe(0o700);
  });

  // In /proc nothing can be made, and Node's own recursive way never ends there.
  it.runIf(existsSync('/proc/self'))('is refused at once where no folder can be made', () => {
    expect(() => resolveSecretKey(settings({ DATABASE_URL: 'file:/proc/nope/deeper/x.db' }))).toThrow(
      /secret\.key cannot be made \(ENOENT\)/,
    );
  });

  it('says which file cannot be made', () => {
    writeFileSync(join(folder, 'data'), 'a file where the folder should be');
    expect(() => resolveSecretKey(settings())).toThrow(/secret\.key cannot be made/);
  });
});
