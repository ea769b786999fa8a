import { pino, type DestinationStream } from 'pino';

/** Keeps lines back until they are released, so that what is said first stands first. */
export interface HeldLines extends DestinationStream {
  /** Writes what was held, and from now on everything at once. */
  readonly release: () => void;
}

/** Holds the lines of a log on their way to a destination. Default: standard output. */
export function holdLines(destination: DestinationStream = standardOutput()): HeldLines {
  let held: string[] | undefined = [];
  return {
    write: (line) => {
      if (held === undefined) destination.write(line);
      else held.push(line);
    },
    release: () => {
      for (const line of held ?? []) destination.write(line);
      held = undefined;
    },
  };
}

/** Standard output. */
export function standardOutput(): DestinationStream {
  return gatherLines(pino.destination(1));
}

/**
 * Writes all lines of one turn of the event loop at once: under load, a write for each would cost more than the lines do.
 * What waits when the process exits, by whatever error, is written then.
 */
export function gatherLines(destination: DestinationStream): DestinationStream {
  let waiting = '';
  const write = (): void => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') destination.write(lines);
  };
  process.on('exit', write);
  return {
    write: (line) => {
      if (waiting === '') setImmediate(write);
      waiting += line;
    },
  };
}
