import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './source-files.ts';

interface Line {
  readonly id: string;
  readonly held: string;
  readonly proofs: readonly string[];
}

/** The rows of the checklist in SECURITY.md. */
function checklist(): Line[] {
  const text = readFileSync(join(root, 'SECURITY.md'), 'utf8');
  return [...text.matchAll(/^\| ([A-Z]\d+) \| (.+) \| (.*) \|$/gm)].map(([, id = '', held = '', proof = '']) => ({
    id,
    held,
    proofs: [...proof.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path),
  }));
}

/** Tells whether a test file names a line, alone (`J8`) or in a range (`J20-J24`). */
function names(path: string, id: string): boolean {
  const text = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';
  const [letter, number] = [id.slice(0, 1), Number(id.slice(1))];
  const ranges = [...text.matchAll(/\b([A-Z])(\d+)(?:-\1(\d+))?\b/g)];
  return ranges.some(
    ([, family, from, to = from]) => family === letter && Number(from) <= number && number <= Number(to),
  );
}

const titles = /\b(?:describe|it|test)(?:\.\w+\([^'"`]*)?\s*\(\s*['"`]((?:[A-Z]\d+[,:]? )+)/g;

/** Tells whether the name of a test in a file begins with a line, alone or among others (`S5, S8: …`). */
function begins(path: string, id: string): boolean {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(titles)].some(([, ids = '']) => ids.split(/[,: ]+/).includes(id));
}

describe('the checklist of SECURITY.md', () => {
  it('names at least one proof for every line, and every proof names its line', () => {
    const unproven = checklist().filter(
      ({ id, proofs }) => proofs.length === 0 || !proofs.every((path) => names(path, id)),
    );
    expect(unproven).toEqual([]);
  });

  it('has a test whose name begins with the line for every line about keys, sessions and reliability', () => {
    const lines = checklist().filter(({ id }) => ['K', 'S', 'R'].includes(id.slice(0, 1)));
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.filter(({ id, proofs }) => !proofs.some((path) => begins(path, id)))).toEqual([]);
  });

  it('has lines of every kind', () => {
    expect([...new Set(checklist().map(({ id }) => id.slice(0, 1)))]).toEqual(['J', 'K', 'B', 'P', 'S', 'O', 'R']);
  });
});
