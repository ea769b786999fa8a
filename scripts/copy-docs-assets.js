// Puts the files of the interactive documentation into packages/server/dist/docs: Swagger UI's, and our own page.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const server = fileURLToPath(new URL('../packages/server/', import.meta.url));
const swagger = dirname(createRequire(join(server, 'package.json')).resolve('swagger-ui-dist/package.json'));
const own = join(server, 'src/docs');
const target = join(server, 'dist/docs');

const files = [
  [own, ['page.html', 'page.css', 'page.js']],
  [
    swagger,
    [
      'swagger-ui.css',
      'swagger-ui-bundle.js',
      'swagger-ui-bundle.js.LICENSE.txt',
      'favicon-32x32.png',
      'LICENSE',
      'NOTICE',
    ],
  ],
];

mkdirSync(target, { recursive: true });
for (const [folder, names] of files) {
  for (const name of names) copyFileSync(join(folder, name), join(target, name));
}
