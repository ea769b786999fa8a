import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../test/source-files.ts';

/** A peer's server. What it needs is installed when it is not: peers are no part of the workspace. */
export function peerServer(peer: string): string {
  const folder = join(root, 'bench/peers', peer);
  if (existsSync(join(folder, 'package.json')) && !existsSync(join(folder, 'node_modules'))) {
    const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    if (status !== 0) throw new Error(`bench/peers/${peer} cannot be installed: ${String(stderr)}`);
  }
  return join(folder, 'server.js');
}
