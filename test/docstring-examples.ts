import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourceFiles } from './source-files.ts';

/** The example in the docstring of something public, with the imports it takes for granted. */
export interface DocstringExample {
  readonly name: string;
  readonly text: string;
}

/** Each list of public names and what its package is imported as. */
const specifiers: Readonly<Record<string, string>> = {
  jwt: '@sallyport/jwt',
  guard: '@sallyport/guard',
  'guard-event-stream': '@sallyport/guard/event-stream',
  'guard-websocket': '@sallyport/guard/websocket',
  'guard-express': '@sallyport/guard/express',
  'guard-fastify': '@sallyport/guard/fastify',
  'guard-hono': '@sallyport/guard/hono',
  'guard-koa': '@sallyport/guard/koa',
  'guard-nestjs': '@sallyport/guard/nestjs',
  'guard-node': '@sallyport/guard/node',
  'guard-openapi': '@sallyport/guard/openapi',
  'guard-testing': '@sallyport/guard/testing',
  auth: '@sallyport/auth',
  'auth-sqlite': '@sallyport/auth/sqlite',
  'auth-postgres': '@sallyport/auth/postgres',
  'auth-store': '@sallyport/auth/store',
  'auth-testing': '@sallyport/auth/testing',
  server: 'sallyport',
};

/** What a reader supplies without being told: an opened engine and what a form held. */
const given = `import type { Auth } from '@sallyport/auth';
declare const auth: Auth;
declare const username: string, password: string;`;

/** Public names that are values, and where they come from. */
function publicValues(): Map<string, string> {
  const folder = join(root, 'test/public-api');
  return new Map(
    readdirSync(folder).flatMap((file) => {
      const specifier = specifiers[file.replace('.txt', '')] ?? '';
      const names = readFileSync(join(folder, file), 'utf8').split('\n');
      return names.filter((name) => name !== '' && !name.startsWith('type ')).map((name) => [name, specifier] as const);
    }),
  );
}

function withImports(example: string, values: ReadonlyMap<string, string>): string {
  const isDeclared = (name: string): boolean =>
    new RegExp(`\\b(import|const|let|function)\\b[^;=(]*\\b${name}\\b`).test(example);
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(example);
  const imports = [...values]
    .filter(([name]) => isUsed(name) && !isDeclared(name))
    .map(([name, specifier]) => `import { ${name} } from '${specifier}';`);
  const assumed = /\bauth\./.test(example) && !isDeclared('auth') ? given : '';
  return [...imports, assumed, example, 'export {};', ''].join('\n');
}

const documented =
  /\/\*\*((?:(?!\*\/)[\s\S])*?@example\n(?:(?!\*\/)[\s\S])*)\*\/\s*export (?:async )?(?:function|class|const|interface) (\w+)/g;

function exampleIn(comment: string): string {
  const text = comment.replaceAll(/^\s*\* ?/gm, '');
  return (/@example\n([\s\S]*?)(?=\n@|$)/.exec(text)?.[1] ?? '').replaceAll(/^```\w*$/gm, '');
}

/** Every example in a docstring above a public name. */
export function docstringExamples(): DocstringExample[] {
  const values = publicValues();
  const files = ['jwt', 'guard', 'auth', 'server'].flatMap((name) => sourceFiles(`packages/${name}/src`));
  return files.flatMap((file) =>
    [...file.text.matchAll(documented)]
      .filter(([, , name = '']) => values.has(name))
      .map(([, comment = '', name = '']) => ({ name, text: withImports(exampleIn(comment), values) })),
  );
}
