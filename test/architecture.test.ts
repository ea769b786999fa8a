import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf, importedFile, root, sourceFiles, type SourceFile } from './source-files.ts';

/** The arrows of ARCHITECTURE.md: package → the workspace packages it may know. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  jwt: [],
  guard: ['@sallyport/jwt'],
  auth: ['@sallyport/jwt'],
  server: ['@sallyport/auth', '@sallyport/guard', '@sallyport/jwt'],
};
const workspaceNames = ['@sallyport/jwt', '@sallyport/guard', '@sallyport/auth', 'sallyport'];
const frameworks = ['express', 'fastify', 'hono', '@hono/node-server', 'koa', '@nestjs/common', '@nestjs/core'];
const httpModules = ['node:http', 'node:https', 'node:http2', ...frameworks];
/** What each adapter may know of HTTP: its own framework. */
const adapters: Readonly<Record<string, readonly string[]>> = {
  'packages/guard/src/event-stream.ts': ['node:http'],
  'packages/guard/src/websocket.ts': ['node:http'],
  'packages/guard/src/express.ts': ['express', 'node:http'],
  'packages/guard/src/fastify.ts': ['fastify'],
  'packages/guard/src/hono.ts': ['hono', 'node:http'],
  'packages/guard/src/koa.ts': ['koa'],
  'packages/guard/src/nestjs.ts': ['@nestjs/common', '@nestjs/core', 'node:http'],
  'packages/guard/src/node.ts': ['node:http'],
};
/** Speaks HTTP to the issuer: decision 0035 says why not by `fetch`. */
const httpClient = 'packages/guard/src/replica/feed/feed-node.ts';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const files = new Map(Object.keys(arrows).map((name) => [name, sourceFiles(`packages/${name}/src`)]));
const allFiles: readonly SourceFile[] = [...files.values()].flat();
const filesOf = (name: string): readonly SourceFile[] => files.get(name) ?? [];

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, `packages/${name}/package.json`), 'utf8')) as Manifest;
}

const quoted = /'[^'\n]*'|"[^"\n]*"|`[^`]*`/g;

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Lists "file: what it should not do" for every match; a rule holds when the list is empty. */
function violations(candidates: readonly SourceFile[], rule: (file: SourceFile) => readonly string[]): string[] {
  return candidates.flatMap((file) => rule(file).map((problem) => `${file.path}: ${problem}`));
}

describe('the arrows between packages', () => {
  it.each(Object.keys(arrows))('%s declares the workspace packages it points to, and no other', (name) => {
    const declared = Object.keys(manifestOf(name).dependencies ?? {}).filter((each) => workspaceNames.includes(each));
    expect(declared.toSorted()).toEqual([...(arrows[name] ?? [])].toSorted());
  });

  it.each(Object.keys(arrows))('%s imports only what its package.json declares', (name) => {
    const { dependencies = {}, peerDependencies = {} } = manifestOf(name);
    const known = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
    const unknown = (file: SourceFile): string[] =>
      file.imports.filter((each) => !each.startsWith('.') && !each.startsWith('node:') && !known.has(packageOf(each)));
    expect(violations(filesOf(name), unknown)).toEqual([]);
  });

  it('keeps every relative import inside its package', () => {
    const outside = (file: SourceFile): string[] => {
      const folder = file.path.split('/').slice(0, 3).join('/');
      return file.imports.filter((each) => importedFile(file, each)?.startsWith(`${folder}/`) === false);
    };
    expect(violations(allFiles, outside)).toEqual([]);
  });

  it('gives jwt no dependency at all', () => {
    expect(Object.keys(manifestOf('jwt'))).not.toContain('dependencies');
  });
});

describe('what each layer may know', () => {
  it('writes node: before every built-in module', () => {
    const bare = (file: SourceFile): string[] => file.imports.filter((each) => builtinModules.includes(each));
    expect(violations(allFiles, bare)).toEqual([]);
  });

  it('keeps HTTP and its frameworks out of everything below server, but for the adapters and the client of the feed', () => {
    const below = allFiles.filter((file) => !file.path.startsWith('packages/server/') && file.path !== httpClient);
    const http = (file: SourceFile): string[] => {
      const own = adapters[file.path] ?? [];
      return file.imports.map(packageOf).filter((name) => httpModules.includes(name) && !own.includes(name));
    };
    expect(violations(below, http)).toEqual([]);
  });

  it('reads the environment in server/environment alone', () => {
    const elsewhere = allFiles.filter((file) => !file.path.startsWith('packages/server/src/environment'));
    const reads = (file: SourceFile): string[] => (/process\s*\.\s*env\b/.test(codeOf(file)) ? ['process.env'] : []);
    expect(violations(elsewhere, reads)).toEqual([]);
  });

  it('reads the clock and draws random numbers in auth through ports alone', () => {
    const outside = filesOf('auth').filter((file) => file.path !== 'packages/auth/src/ports.ts');
    const reads = (file: SourceFile): string[] =>
      [...codeOf(file).matchAll(/new Date\(\)|Date\.now\(\)|Math\.random\(\)/g)].map(([text]) => text);
    expect(violations(outside, reads)).toEqual([]);
  });
});

describe('inside auth', () => {
  const folderOf = (path: string): string => path.split('/').slice(3, -1)[0] ?? '';

  it('lets only auth.ts, and what it is wired from, open a store: domains know ports, never SQL', () => {
    const domains = filesOf('auth').filter((file) => !['', 'stores'].includes(folderOf(file.path)));
    const stores = (file: SourceFile): string[] =>
      file.imports.filter((each) => /\/stores\/(?!store\.ts)/.test(each) || ['kysely', 'pg'].includes(packageOf(each)));
    expect(violations(domains, stores)).toEqual([]);
  });

  it('lets only tokens/, whose use cases join the domains, ask the store port of another domain', () => {
    const domains = filesOf('auth').filter((file) => !['', 'stores', 'tokens'].includes(folderOf(file.path)));
    const foreignPort = (file: SourceFile): string[] =>
      file.imports.filter((each) => {
        const target = importedFile(file, each);
        return target?.endsWith('-store.ts') === true && folderOf(target) !== folderOf(file.path);
      });
    expect(violations(domains, foreignPort)).toEqual([]);
  });
});

describe('every source file', () => {
  it('is part of no import cycle', () => {
    expect(findCycle(allFiles)).toEqual([]);
  });

  it('has at most 300 lines', () => {
    const long = (file: SourceFile): string[] => (file.text.split('\n').length > 301 ? ['too long: split it'] : []);
    expect(violations(allFiles, long)).toEqual([]);
  });

  it('is named after what it holds: kebab-case, never a drawer', () => {
    const badly = (file: SourceFile): string[] => {
      const name = basename(file.path);
      const drawer = /(^|-)(utils?|helpers?|common|misc)(\.|-)/.test(name);
      return drawer || !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z-]+)*\.ts$/.test(name) ? ['rename it'] : [];
    };
    expect(violations(allFiles, badly)).toEqual([]);
  });

  it('does without any and without default exports', () => {
    const loose = (file: SourceFile): string[] =>
      [
        ...codeOf(file)
          .replaceAll(quoted, '')
          .matchAll(/(?::|\bas|<|\|)\s*any\b|^export default\b/gm),
      ].map(([text]) => text);
    expect(violations(allFiles, loose)).toEqual([]);
  });
});

/** The files of one import cycle, or none. */
function findCycle(candidates: readonly SourceFile[]): string[] {
  const byPath = new Map(candidates.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    const file = byPath.get(path);
    if (file === undefined || done.has(path)) return [];
    for (const specifier of file.imports) {
      const target = importedFile(file, specifier);
      const cycle = target === undefined ? [] : visit(target, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const { path } of candidates) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
