import type * as z from 'zod';
import { arriving, parseJsonObject, requireMediaType } from './body.ts';
import { HttpError } from './http-error.ts';
import { validate } from './validation.ts';

/** The media type of values that come one after the other. */
export const JSON_SEQUENCE = 'application/json-seq';

/** How long one record is at most, in bytes: no more than that is kept of a body, however long it goes on. */
const LONGEST_RECORD = 1_024;

const RECORD_SEPARATOR = 0x1e;
const LINE_FEED = 0x0a;

/**
 * Reads a body record by record, each as soon as it has come: a JSON object on a line of its own, behind a record separator.
 *
 * JSON is as strict as in other bodies, and every record is checked against the schema. Of a client that hangs up, those count
 * that came whole.
 *
 * @throws {HttpError} `media_type_unsupported`, `body_malformed`, `body_too_large`, `value_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7464.html RFC 7464}
 */
export async function* readJsonSequence<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): AsyncGenerator<z.output<Schema>, void> {
  requireMediaType(request.headers, [JSON_SEQUENCE]);
  let begun: Uint8Array = new Uint8Array();
  for await (const chunk of arriving(request)) {
    const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, from)) {
      yield validate(schema, parseRecord(bytes.subarray(from, end)), 'value_invalid');
      from = end + 1;
    }
    begun = requireShort(bytes.subarray(from));
  }
  if (begun.length > 0) throw new HttpError('body_malformed', { reason: 'A record ends with a line feed' });
}

function parseRecord(line: Uint8Array): object {
  const record = requireShort(line);
  if (record[0] === RECORD_SEPARATOR) return parseJsonObject(record.subarray(1));
  throw new HttpError('body_malformed', { reason: 'A record begins with the record separator of RFC 7464' });
}

function requireShort(record: Uint8Array): Uint8Array {
  if (record.length > LONGEST_RECORD) throw new HttpError('body_too_large', {});
  return record;
}
