// npm run test:races [-- filter …]: the tests of races, crashes, lost answers and clocks, often instead of a few times.
process.env.SALLYPORT_RACES = 'long';
if (process.argv.length === 2) process.argv.push('test/races');
await import('./test.js');
