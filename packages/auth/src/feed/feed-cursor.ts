/** How far a guard has come, and in which lineage of the log. */
export interface FeedCursor {
  readonly incarnation: string;
  readonly sequence: number;
}

const written = /^([\w-]{1,64})\.(\d{1,16})$/;

/** Reads `<incarnation>.<sequence>`; undefined when it is something else. */
export function parseCursor(text: string): FeedCursor | undefined {
  const [, incarnation, digits] = written.exec(text) ?? [];
  const sequence = Number(digits);
  return incarnation === undefined || !Number.isSafeInteger(sequence) ? undefined : { incarnation, sequence };
}

/** Writes a cursor as guards send it back. */
export function formatCursor({ incarnation, sequence }: FeedCursor): string {
  return `${incarnation}.${String(sequence)}`;
}
