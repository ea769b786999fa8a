/**
 * Every value a cookie of this name has in the request, in order.
 *
 * Exact on purpose. One space may stand between pairs and nothing else is trimmed: a name that only trimming makes
 * equal to ours was set without the promises of our prefix. Several values are not for this function to choose from,
 * for one of them may have been planted by a neighbouring host.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6265.html#section-4.2 RFC 6265, section 4.2}
 */
export function cookieValues(lines: readonly string[], name: string): readonly string[] {
  const start = `${name}=`;
  return lines
    .flatMap((line) => line.split(';'))
    .map((pair) => (pair.startsWith(' ') ? pair.slice(1) : pair))
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}

/** The name in `name=value`. */
export function cookieNameOf(pair: string): string {
  return pair.split('=', 1).join('');
}
