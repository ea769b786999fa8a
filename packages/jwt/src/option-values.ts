/**
 * A copy of options, in which every value was read once. A class of options is refused: what it inherits would be seen
 * by some and missed by others, and a check must not get lost on the way.
 */
export function readOptions<Options extends object>(options: Options): Options {
  if (!isPlainOptions(options)) throw new TypeError('The options must be a plain object');
  const copies = Object.entries(options).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]);
  return Object.fromEntries(copies) as Options;
}

/** Tells whether all there is to options is what they hold themselves. */
export function isPlainOptions(options: unknown): options is object {
  if (typeof options !== 'object' || options === null) return false;
  const prototype: unknown = Object.getPrototypeOf(options);
  return prototype === Object.prototype || prototype === null;
}

/** A moment in seconds since 1970. */
export function secondsOf(moment: Date): number {
  const time = moment instanceof Date ? moment.getTime() / 1000 : Number.NaN;
  if (Number.isNaN(time)) throw new TypeError('now must be a valid Date');
  return time;
}

/** The moment by the system's clock. */
export function systemTime(): number {
  return Date.now() / 1000;
}

/** A number within its bounds. */
export function within(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new TypeError(`${name} must be a number from ${least} to ${most}`);
}
