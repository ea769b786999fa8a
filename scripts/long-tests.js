// npm run test:races | test:chaos [-- filter …]: the tests of one folder, or the ones named, with everything tried often.
process.env.SALLYPORT_TESTS = 'long';
if (process.argv.length > 3) process.argv.splice(2, 1);
await import('./test.js');
