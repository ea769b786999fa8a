import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`packages/${path}`, import.meta.url));

export default defineConfig({
  // Nest's decorators take parameters too, which only the legacy kind can.
  oxc: { decorator: { legacy: true } },
  resolve: {
    alias: [
      { find: /^@sallyport\/auth\/(sqlite|postgres)$/, replacement: source('auth/src/stores/$1.ts') },
      { find: /^@sallyport\/(\w+)$/, replacement: source('$1/src/index.ts') },
      { find: /^@sallyport\/(\w+)\/(\w+)$/, replacement: source('$1/src/$2.ts') },
      { find: /^sallyport$/, replacement: source('server/src/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    // What takes long by its nature has commands of its own: npm run test:races, npm run test:chaos.
    exclude: [...configDefaults.exclude, ...(process.env['SALLYPORT_TESTS'] === 'long' ? [] : ['**/*.long.test.ts'])],
    globalSetup: ['test/temporary-folder.ts', 'packages/auth/test/shared-postgres.ts'],
    setupFiles: ['test/quick-passwords.ts'],
    pool: 'forks',
    // One more than there must be processors: many tests wait for processes of theirs.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
  },
});
