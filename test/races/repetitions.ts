/** Whether this is `npm run test:races`. */
const isLong = process.env['SALLYPORT_RACES'] === 'long';

/** How often something is tried: a few times in `npm test`, often in `npm run test:races`. */
export function repetitions(few: number, many: number): number {
  return isLong ? many : few;
}

/** How long such a test may take, in milliseconds. */
export const patience: number = isLong ? 1_800_000 : 120_000;
