// `npm run sallyport -- …` and `npm start`: builds what is missing or out of date, then becomes the command line.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
const program = join(root, 'packages/server/dist/cli/main.js');

/** When a folder's newest file was written; 0 when there is none. */
function newestFile(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

function isBuilt(folder) {
  const record = join(folder, 'dist/.tsbuildinfo');
  return existsSync(record) && statSync(record).mtimeMs >= newestFile(join(folder, 'src'));
}

function runQuietly(script, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root });
  if (status === 0) return;
  process.stderr.write(Buffer.concat([stdout, stderr]));
  console.error('sallyport: the build failed, see above. Did "npm ci" run?');
  process.exit(1);
}

const isComplete = existsSync(program) && existsSync(join(root, 'packages/server/dist/docs'));
if (!isComplete || !packages.every(isBuilt)) {
  runQuietly('node_modules/typescript/bin/tsc', ['--build']);
  runQuietly('scripts/copy-docs-assets.js', []);
}
// In this process, so that signals and the exit status need no passing on.
await import(pathToFileURL(program).href);
