// npm run test:mutation: changes packages/jwt/src in every small way and asks the tests of that package to notice.
// A slow run, apart from npm test. The survivors and their reasons: docs/mutation-survivors.md.

export default {
  mutate: ['packages/jwt/src/**/*.ts', '!packages/jwt/src/index.ts'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  disableTypeChecks: false,
  // What the tests of this package do not need. The root tsconfig names packages that are not copied, and Stryker would
  // rewrite it by an API that TypeScript 7 does not have.
  ignorePatterns: [
    'bench',
    'data',
    'docs',
    'examples',
    'scripts',
    '/test',
    'packages/{auth,guard,server}',
    'dist',
    '/tsconfig.json',
  ],
  tempDirName: '.stryker/sandbox',
  incremental: true,
  incrementalFile: '.stryker/incremental.json',
  reporters: ['clear-text', 'progress', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: '.stryker/report.html' },
  jsonReporter: { fileName: '.stryker/report.json' },
  thresholds: { high: 95, low: 90, break: 90 },
};
