/**
 * What a rule makes of one text: its value, or what is wrong in words that follow the variable's name, with an example
 * where the text suggests a better one than the table's.
 */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string; readonly example?: string };

/** Reads one text. Never throws, and never trims: `"15 "` is not a number. */
export type Parse<Value> = (text: string) => Parsed<Value>;

/** A whole number in plain decimal digits: no sign, no exponent, no unit, no space (CVE-2026-107275). */
export function wholeNumber(least: number, most: number): Parse<number> {
  const problem = `must be a whole number from ${least} to ${most}`;
  return (text) => {
    const value = /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? { value } : { problem };
  };
}

/** One of the given words, in its exact spelling. */
export function oneOf<const Word extends string>(words: readonly Word[]): Parse<Word> {
  return (text) => {
    const value = words.find((word) => word === text);
    return value === undefined ? { problem: `must be one of ${words.join(', ')}` } : { value };
  };
}

/** A comma list; spaces around the commas do not count, an empty text is an empty list. */
export function listOf<Item>(item: Parse<Item>): Parse<readonly Item[]> {
  return (text) => {
    const values: Item[] = [];
    for (const part of text.trim() === '' ? [] : text.split(',')) {
      const parsed = item(part.trim());
      if ('problem' in parsed) return parsed;
      values.push(parsed.value);
    }
    return { value: values };
  };
}

/** Like {@link listOf}, with at least one item. */
export function someOf<Item>(item: Parse<Item>): Parse<readonly Item[]> {
  const list = listOf(item);
  return (text) => (text.trim() === '' ? { problem: 'must not be empty' } : list(text));
}

/** Any text with something in it. */
export const text: Parse<string> = (value) => (value === '' ? { problem: 'must not be empty' } : { value });
