import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram, runShell } from './child-process.ts';
import { docstringExamples } from './docstring-examples.ts';
import { codeBlocks, documents, fileNameOf, packageReadmes } from './docs-examples.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { root, sourceFiles } from './source-files.ts';

const tsc = join(root, 'node_modules/typescript/bin/tsc');

describe('every example in a document and in the docstring of a public name', () => {
  // Inside the repository, so that the packages are found; dist/ is never committed.
  const folder = join(root, 'dist/examples');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('compiles', async () => {
    const blocks = documents()
      .flatMap(codeBlocks)
      .filter(({ language }) => language === 'ts');
    const docstrings = docstringExamples();
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const block of blocks) writeFileSync(join(folder, fileNameOf(block)), `${block.text}\nexport {};\n`);
    for (const { name, text } of docstrings) writeFileSync(join(folder, `docstring-${name}.ts`), text);
    // Against the built packages, as readers have them.
    const own = { composite: false, isolatedDeclarations: false, noEmit: true, experimentalDecorators: true };
    const compilerOptions = { ...own, rootDir: '../..', noUnusedLocals: false, noUnusedParameters: false };
    const config = { extends: '../../tsconfig.base.json', compilerOptions, include: ['*.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));

    const { status, stdout } = await runProgram([tsc, '-p', folder]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(blocks.length).toBeGreaterThan(5);
    expect(docstrings.length).toBeGreaterThan(20);
  });
});

describe('every package', () => {
  it.each(packageReadmes())('says what it is in %s', (path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });
});

describe('every link between the documents', () => {
  it.each([...documents(), 'ARCHITECTURE.md', 'SECURITY.md', 'docs/decisions/README.md'])(
    'of %s leads to a file',
    (document) => {
      const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
      const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) => target);
      const broken = targets.filter((target) => !existsSync(join(root, dirname(document), target)));
      expect(broken).toEqual([]);
    },
  );
});

describe('every file that is named', () => {
  it('in the tree of ARCHITECTURE.md exists', () => {
    const tree = codeBlocks('ARCHITECTURE.md')
      .map(({ text }) => text)
      .join('\n');
    const named = [...tree.matchAll(/[\w-]+\.ts\b/g)].map(([name]) => name);
    const existing = new Set(['packages', 'test'].flatMap(sourceFiles).map(({ path }) => basename(path)));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !existing.has(name))).toEqual([]);
  });

  it('in a recipe of CONTRIBUTING.md exists', () => {
    const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
    const paths = [...text.matchAll(/`((?:packages|test|docs|scripts)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('the quick start of README.md', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.remove());

  it('starts with the two commands', () => {
    const commands = codeBlocks('README.md').map(({ text }) => text.trim());
    expect(commands).toContain('npm ci && npm start');
    expect(commands).toContain('npm ci && npm test');
  });

  it('runs, block after block, against a fresh server', async () => {
    const script = codeBlocks('README.md')
      .filter(({ language, text }) => language === 'sh' && !text.includes('npm ci'))
      .map(({ text }) => text.replaceAll('http://127.0.0.1:8000', server.url))
      .join('\n');
    const strict = 'set -euo pipefail\ncurl() { command curl --silent --show-error --fail-with-body "$@"; echo; }\n';
    const env = { DATABASE_URL: `file:${join(server.folder, 'data/sallyport.db')}`, ISSUER: server.url };
    const { status, stdout, stderr } = await runShell(strict + script, { env });
    expect({ status, stderr: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('"username":"ada"');
    expect(stdout).toContain('"access_token"');
  });
});
