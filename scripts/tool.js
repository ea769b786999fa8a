// Runs the workspace's development tools without a shell and without npm between, so that output and exit codes stay theirs.
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The JavaScript file behind a package's command: `binary('typescript', 'tsc')`. */
function binary(packageName, command) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = require(join(folder, 'package.json'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

const tools = {
  tsc: () => binary('typescript', 'tsc'),
  tsx: () => binary('tsx', 'tsx'),
  vitest: () => binary('vitest', 'vitest'),
  oxlint: () => binary('oxlint', 'oxlint'),
  oxfmt: () => binary('oxfmt', 'oxfmt'),
  knip: () => binary('knip', 'knip'),
  publint: () => binary('publint', 'publint'),
  attw: () => binary('@arethetypeswrong/cli', 'attw'),
};

/** Runs one tool at the root; `capture` keeps its output instead of showing it. */
export function runTool(name, args, { capture = false, env = {} } = {}) {
  return run(process.execPath, [tools[name](), ...args], { capture, env });
}

/** Runs any program at the root; answers its exit status and, when captured, what it printed. */
export function run(program, args, { capture = false, env = {} } = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: capture ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const failure = result.error === undefined ? '' : `${result.error.message}\n`;
  return { status: result.status ?? 1, output: `${failure}${result.stdout ?? ''}${result.stderr ?? ''}`.trim() };
}

/** Runs one tool at the root beside others; answers when it has ended, with its exit status and what it printed. */
export function runToolBeside(name, args) {
  return runBeside(process.execPath, [tools[name](), ...args]);
}

/** Runs any program at the root beside others. */
export function runBeside(program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ status: 1, output: error.message }));
    child.on('close', (status) => resolve({ status: status ?? 1, output: output.trim() }));
  });
}

/** Compiles the packages and copies the docs page's assets. */
export function build(options) {
  const compiled = runTool('tsc', ['--build'], options);
  if (compiled.status !== 0) return compiled;
  return run(process.execPath, [join(dirname(fileURLToPath(import.meta.url)), 'copy-docs-assets.js')], options);
}
