/**
 * A copy of options, in which every value was read once. A class of options is refused: what it inherits would be seen
 * by some and missed by others, and a check must not get lost on the way.
 */
export function readOptions<Options extends object>(options: Options): Options {
  if (!isPlainOptions(options)) throw new TypeError('The options must be a plain object');
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, copyOf(value)])) as Options;
}

/** A copy of a list, which its owner may change; anything else is itself. */
export function copyOf<Value>(value: Value): Value {
  return Array.isArray(value) ? ([...value] as Value) : value;
}

/** Compares values that may be lists with what {@link copyOf} made of earlier ones. */
export function isSame(copy: unknown, value: unknown): boolean {
  if (!Array.isArray(copy) || !Array.isArray(value)) return copy === value;
  return copy.length === value.length && copy.every((item, index) => item === value[index]);
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
