// npm run test:races | test:chaos [-- filter …]: tests that take long, or the ones named, with everything tried often.
const tests = { races: ['test/races', '.long.test.ts', 'packages/guard/test'], chaos: ['test/chaos'] };
const [name, ...filters] = process.argv.slice(2);
process.env.SALLYPORT_TESTS = 'long';
process.argv.splice(2, process.argv.length, ...(filters.length > 0 ? filters : tests[name]));
await import('./test.js');
