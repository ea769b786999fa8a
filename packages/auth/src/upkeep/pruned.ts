/** What pruning one stretch of a table came to. */
export interface Pruned<Cursor> {
  readonly removed: number;
  /** Where to go on; undefined at the end of the table. */
  readonly next: Cursor | undefined;
}
