import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { root } from './source-files.ts';

/** One fenced block of a document. */
export interface CodeBlock {
  readonly document: string;
  readonly number: number;
  readonly language: string;
  readonly text: string;
}

const markdownIn = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

/** The page of each package on npm. */
export function packageReadmes(): string[] {
  return readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`);
}

/** The documents whose examples people copy. */
export function documents(): string[] {
  const ofPackages = packageReadmes().filter((path) => existsSync(join(root, path)));
  return ['README.md', 'CONTRIBUTING.md', ...markdownIn('docs/guides'), ...ofPackages];
}

/** The fenced blocks of a document, numbered from 1. */
export function codeBlocks(document: string): CodeBlock[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', block = ''], index) => ({
    document,
    number: index + 1,
    language,
    text: block,
  }));
}

/** A file name that tells which block it holds: `packages-jwt-README-2.ts`. */
export function fileNameOf({ document, number }: CodeBlock): string {
  const name = join(dirname(document), basename(document, '.md')).replaceAll(/[/\\]/g, '-');
  return `${name}-${String(number)}.ts`;
}
