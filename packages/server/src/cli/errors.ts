/** Thrown when a command was called in a way that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/** Thrown when there is no database and the command does not make one. */
export class DatabaseMissingError extends Error {
  override readonly name = 'DatabaseMissingError';
  readonly code = 'database_missing';
}

/** Thrown when Ctrl+C is pressed at a prompt. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly code = 'interrupted';
}
