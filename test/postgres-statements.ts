import type { Link, Relay } from './tcp-proxy.ts';

/** When a connection is cut: before the server gets the statement, or when it has done it and nobody knows. */
export type Moment = 'before' | 'after';

export interface Cut {
  /** From 1 on. */
  readonly place: number;
  readonly moment: Moment;
}

/** Watches connections to PostgreSQL, and cuts one at a chosen statement. */
export interface StatementCutter {
  readonly relay: () => Relay;
  /** Cuts at a statement, counted from now on. */
  readonly arm: (cut: Cut) => void;
  /** Cuts nothing any more; tells whether it has, and how many statements there were. */
  readonly disarm: () => { readonly hasCut: boolean; readonly statements: number };
}

/** Messages of PostgreSQL's protocol: a letter, four bytes of length that count themselves, and the rest. */
const letterOf = (message: Buffer): string => String.fromCharCode(message[0] ?? 0);
// Binding, and not parsing: a prepared statement is parsed once for each connection.
const startsStatement = (message: Buffer): boolean => ['B', 'Q'].includes(letterOf(message));
const endsStatement = (message: Buffer): boolean => letterOf(message) === 'Z';

/** Cuts a stream into messages; a client's first one has no letter. */
function messagesOf(firstHasLetter: boolean): (bytes: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0);
  let hasLetter = firstHasLetter;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const messages: Buffer[] = [];
    for (;;) {
      const from = hasLetter ? 1 : 0;
      if (rest.length < from + 4) return messages;
      const length = from + rest.readUInt32BE(from);
      if (rest.length < length) return messages;
      messages.push(rest.subarray(0, length));
      rest = rest.subarray(length);
      hasLetter = true;
    }
  };
}

export function statementCutter(): StatementCutter {
  let wanted: Cut | undefined;
  let [statements, hasCut] = [0, false];

  const relay = (): Relay => {
    const [sent, answered] = [messagesOf(false), messagesOf(true)];
    let isFirst = true;
    let isDoomed = false;
    const strike = (link: Link): void => {
      hasCut = true;
      link.cut();
    };
    return {
      fromClient: (bytes, link) => {
        for (const message of sent(bytes)) {
          if (!isFirst && startsStatement(message)) {
            statements += 1;
            const isIt = statements === wanted?.place;
            if (isIt && wanted?.moment === 'before') return strike(link);
            isDoomed ||= isIt;
          }
          isFirst = false;
          link.toServer(message);
        }
      },
      fromServer: (bytes, link) => {
        if (!isDoomed) return link.toClient(bytes);
        if (answered(bytes).some(endsStatement)) strike(link);
      },
    };
  };
  return {
    relay,
    arm: (cut) => {
      [wanted, statements, hasCut] = [cut, 0, false];
    },
    disarm: () => {
      wanted = undefined;
      return { hasCut, statements };
    },
  };
}
