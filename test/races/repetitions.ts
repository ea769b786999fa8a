/** Whether this is `npm run test:races` or `test:chaos`. */
const isLong = process.env['SALLYPORT_TESTS'] === 'long';

/** How much is tried: a few things, a few times, in `npm test`; many in `npm run test:races` and `test:chaos`. */
export function repetitions<Amount>(few: Amount, many: Amount): Amount {
  return isLong ? many : few;
}

/** How long such a test may take, in milliseconds. */
export const patience: number = isLong ? 1_800_000 : 120_000;
