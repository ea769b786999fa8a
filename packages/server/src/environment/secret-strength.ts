import type { Algorithm } from '@sallyport/jwt';
import type { Parsed } from './parsed.ts';

/** The least bytes of a secret per algorithm: the hash's size for HMAC (RFC 7518, section 3.2), else 32. */
export function leastSecretBytes(algorithm: Algorithm): number {
  return algorithm === 'HS512' ? 64 : algorithm === 'HS384' ? 48 : 32;
}

/** Keys printed in tutorials and standards: long and random-looking, and known to everybody. */
const publishedSecrets: ReadonlySet<string> = new Set([
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
  '404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970',
  'aym1syspbyfgzld3umj1qzkobwvmkoqqestjqllrt1qs0gzh75aktmn3yj0ips4hcguutwjazr1z9caow',
]);

/** Words that secrets made by hand consist of. */
const commonWords =
  /secret|change|this|please|replace|pass(?:word|phrase)?|key|private|jwt|token|auth|hmac|super|very|your|my|own|here|the|that|should|must|with|from|not|and|for|use|used|long|longer|least|than|enough|minimum|characters?|chars?|bytes?|bits?|random|string|text|value|secure|security|insecure|unsafe|safe|strong|hello|world|test(?:ing)?|example|sample|demo|dev(?:elopment)?|prod(?:uction)?|local(?:host)?|default|admin|root|user|server|app(?:lication)?|sign(?:ing|ature)?|only|some|django|fastapi|flask|express|spring|sallyport|qwerty|letmein|welcome|abc|0?123\d*|32|48|64|128|256|384|512/g;

/** Says why a secret is weak, or passes it on. Looks at form only: it cannot know whether chance made it. */
export function secret(text: string): Parsed<string> {
  const bytes = Buffer.byteLength(text);
  if (bytes < 32) return { problem: `has ${bytes} bytes and needs 32 or more` };
  if (/-----BEGIN|^(ssh-|ecdsa-sha2-|\{)/.test(text))
    return { problem: 'is a key in a written form: a public key is no secret' };
  const plain = text.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (publishedSecrets.has(plain)) return { problem: 'is a sample from a tutorial that everybody knows' };
  if (new Set(text).size < 8) return { problem: 'is weak: it has too few different characters' };
  if (isRepetition(text)) return { problem: 'is weak: it repeats a pattern' };
  if (isSequence(text)) return { problem: 'is weak: its characters follow one another' };
  if (/[a-z]/.test(plain) && plain.replace(commonWords, '').length < 16) {
    return { problem: 'is weak: it is made of well-known words' };
  }
  return { value: text };
}

/** Whether a text is one unit written at least twice, the last time perhaps cut short. */
function isRepetition(text: string): boolean {
  for (let unit = 1; unit <= text.length / 2; unit++) {
    if (text.slice(unit) === text.slice(0, text.length - unit)) return true;
  }
  return false;
}

/** Whether most characters are neighbours of the one before: `abcdefgh…`, `aaaabbbb…`, `98765…`. */
function isSequence(text: string): boolean {
  let neighbours = 0;
  for (let index = 1; index < text.length; index++) {
    if (Math.abs(text.charCodeAt(index) - text.charCodeAt(index - 1)) <= 1) neighbours++;
  }
  return neighbours > text.length / 2;
}
