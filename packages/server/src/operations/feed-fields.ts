import { type FeedCursor, parseCursor } from '@sallyport/auth';
import * as z from 'zod';

/** A cursor, taken apart. */
export const cursor: z.ZodType<FeedCursor> = z
  .string()
  .max(128)
  .meta({ examples: ['q1Zr8xk0T2c.1042'] })
  .transform((value, context) => {
    const parsed = parseCursor(value);
    if (parsed !== undefined) return parsed;
    context.issues.push({ code: 'custom', input: value, message: 'must be <incarnation>.<sequence>' });
    return z.NEVER;
  });

/** The name a guard has given itself. */
export const guardName: z.ZodType<string> = z
  .string()
  .regex(/^[\w-]{8,64}$/, { error: 'must be 8 to 64 letters, digits, dashes or underscores' })
  .meta({ description: 'The name the guard made for itself when it started.', examples: ['zT3kq0Vb8mE'] });

/** How long a guard goes on granting without an echo, in seconds. */
export const lease: z.ZodType<number> = wholeNumber(1, 86_400).meta({
  description: 'How long the guard goes on granting without an echo, in seconds.',
  examples: [30],
});

/** How long an answer may wait for something to say, in seconds. */
export const wait: z.ZodType<number> = wholeNumber(0, 25);

/** A whole number in a query, which is text. */
function wholeNumber(least: number, most: number): z.ZodType<number> {
  const error = { error: `must be a whole number from ${String(least)} to ${String(most)}` };
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
    z.int(error).min(least, error).max(most, error),
  );
}
