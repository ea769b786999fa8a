// `npm run dev`: the server on a database in memory with an administrator, restarting when the source changes.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = 'packages/server/dist/cli/main.js';
const administrator = { ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: randomBytes(12).toString('base64url') };

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const options = { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' } as const;
  return spawn(process.execPath, args, options);
}

function finished(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

const tsc = 'node_modules/typescript/bin/tsc';
if ((await finished(start([tsc, '--build']))) !== 0) process.exit(1);
if (existsSync(`${root}scripts/copy-docs-assets.js`)) await finished(start(['scripts/copy-docs-assets.js']));

console.log(`\n  Sign in as ${administrator.ADMIN_USERNAME} with the password ${administrator.ADMIN_PASSWORD}`);
console.log('  Everything is in memory: each restart begins anew, with this administrator.');

const children = [
  start([tsc, '--build', '--watch', '--preserveWatchOutput']),
  start(['--watch', '--watch-preserve-output', program, 'serve'], { DATABASE_URL: 'memory:', ...administrator }),
];
const ends = children.map(finished);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
  });
}
await Promise.race(ends);
for (const child of children) child.kill('SIGTERM');
await Promise.race([Promise.all(ends), delay(11_000, undefined, { ref: false })]);
