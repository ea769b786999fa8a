/** How many rows one statement carries: databases bound the number of its parameters. */
const largestPart = 500;

/** Cuts a list into parts that fit one statement each. */
export function inParts<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / largestPart);
  return Array.from({ length: count }, (_, part) => items.slice(part * largestPart, (part + 1) * largestPart));
}
