import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One documented member of an interface: an error code and what its docstring tells the caller to do. */
export interface DocumentedMember {
  readonly name: string;
  readonly text: string;
}

const oneLine = (comment: string): string =>
  comment
    .replaceAll(/^\s*\*\s?/gm, '')
    .replaceAll(/\{@link ([^}]+)\}/g, '`$1`')
    .replaceAll(/\s+/g, ' ')
    .trim();

function readInterface(path: string, name: string): string {
  const text = readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');
  const start = text.indexOf(`interface ${name} `);
  if (start === -1) throw new Error(`${path} has no interface ${name}`);
  return text.slice(start, text.indexOf('\n}', start));
}

/** Reads the members of an interface with their docstrings; throws when one has none, so no code stays unexplained. */
export function documentedMembers(path: string, interfaceName: string): DocumentedMember[] {
  const body = readInterface(path, interfaceName);
  const documented = [...body.matchAll(/\/\*\*([\s\S]*?)\*\/\s*(?:readonly )?(\w+):/g)];
  const all = [...body.matchAll(/^ {2}(?:readonly )?(\w+):/gm)].map(([, name]) => name);
  const members = documented.map(([, comment = '', name = '']) => ({ name, text: oneLine(comment) }));
  const bare = all.filter((name) => !members.some((member) => member.name === name));
  if (bare.length > 0) throw new Error(`${path}: no docstring on ${interfaceName}.${bare.join(', ')}`);
  return members;
}

/** Reads `- \`code\`, \`code\`: text` bullets of the docstring above a type, one entry per code. */
export function documentedBullets(path: string, typeName: string): DocumentedMember[] {
  const text = readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');
  const end = text.indexOf(`type ${typeName} `);
  const comment = text.slice(text.lastIndexOf('/**', end), end).replaceAll(/^\s*\*\s?/gm, '');
  return [...comment.matchAll(/^- ((?:`\w+`(?:, )?)+): (.*)$/gm)].flatMap(([, codes = '', meaning = '']) =>
    [...codes.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, text: meaning })),
  );
}
