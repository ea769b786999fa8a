/** Goes on with a value now, or when it is there. */
export function whenSettled<Value, Result>(
  value: Value | Promise<Value>,
  proceed: (settled: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(proceed) : proceed(value);
}
