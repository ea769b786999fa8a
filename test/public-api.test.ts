import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './source-files.ts';

/** Every public entry and the file that defines it. */
const entries = {
  jwt: 'packages/jwt/src/index.ts',
  guard: 'packages/guard/src/index.ts',
  'guard-event-stream': 'packages/guard/src/event-stream.ts',
  'guard-websocket': 'packages/guard/src/websocket.ts',
  'guard-express': 'packages/guard/src/express.ts',
  'guard-fastify': 'packages/guard/src/fastify.ts',
  'guard-hono': 'packages/guard/src/hono.ts',
  'guard-koa': 'packages/guard/src/koa.ts',
  'guard-nestjs': 'packages/guard/src/nestjs.ts',
  'guard-node': 'packages/guard/src/node.ts',
  'guard-openapi': 'packages/guard/src/openapi.ts',
  'guard-testing': 'packages/guard/src/testing.ts',
  auth: 'packages/auth/src/index.ts',
  'auth-sqlite': 'packages/auth/src/stores/sqlite.ts',
  'auth-postgres': 'packages/auth/src/stores/postgres.ts',
  'auth-store': 'packages/auth/src/store.ts',
  'auth-testing': 'packages/auth/src/testing.ts',
  server: 'packages/server/src/index.ts',
};

const lists = /^export\s+(type\s+)?\{([^}]*)\}/gm;
const declarations =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(const|function|class|interface|type)\s+(\w+)/gm;
const isType = (keyword: string): boolean => keyword === 'interface' || keyword === 'type';

function listedNames([, allTypes, names = '']: readonly (string | undefined)[]): string[] {
  return names
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => {
      const name = each.replace(/^type\s+/, '').replace(/^.*\sas\s+/, '');
      return allTypes !== undefined || each.startsWith('type ') ? `type ${name}` : name;
    });
}

/** The names a file exports, sorted; types are marked. Overloads count once. */
function exportedNames(path: string): string {
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const listed = [...text.matchAll(lists)].flatMap(listedNames);
  const declared = [...text.matchAll(declarations)].map(([, keyword = '', name = '']) =>
    isType(keyword) ? `type ${name}` : name,
  );
  return `${[...new Set([...listed, ...declared])].toSorted().join('\n')}\n`;
}

describe('the public names', () => {
  it.each(Object.entries(entries))('of %s are those of the committed list', async (name, path) => {
    // A name gained or lost on purpose: npx vitest run test/public-api -u, and a line in CHANGELOG.md.
    await expect(exportedNames(path)).toMatchFileSnapshot(`public-api/${name}.txt`);
  });

  it.each(Object.entries(entries))('of %s are written out, never passed on by a star', (_name, path) => {
    expect(readFileSync(join(root, path), 'utf8')).not.toMatch(/^export \*/m);
  });
});
