import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { InterruptedError, UsageError } from './errors.ts';

/** The three streams of a command, as it needs them. */
export interface Terminal {
  /** Whether standard output is a terminal. */
  readonly isInteractive: boolean;
  readonly hasColors: boolean;
  /** Writes to standard output. */
  readonly print: (text: string) => void;
  /** Writes to standard error. */
  readonly note: (text: string) => void;
  /** A new password: asked twice without echo on a terminal, else one line of standard input. */
  readonly readNewPassword: () => Promise<string>;
  /** One line of standard input. */
  readonly readLine: (what: string) => Promise<string>;
}

/** The most characters a line of standard input may have. */
const longestLine = 65_536;

/** The terminal this process was started from. */
export function processTerminal(): Terminal {
  return {
    isInteractive: process.stdout.isTTY,
    hasColors: process.stdout.isTTY && process.stdout.hasColors(),
    print: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    readNewPassword: () => (process.stdin.isTTY ? promptTwice() : readLine('password')),
    readLine,
  };
}

/** Takes the line as it is: spaces are part of a password. */
async function readLine(what: string): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes('\n') || text.length > longestLine) break;
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line.length > longestLine) throw new UsageError(`the ${what} on standard input is too long`);
  if (line === '') throw new UsageError(`no ${what} given: write it as one line to standard input`);
  return line;
}

async function promptTwice(): Promise<string> {
  const password = await promptSilently('Password: ');
  if (password === '') throw new UsageError('no password given');
  if ((await promptSilently('Once more: ')) !== password) throw new UsageError('the two passwords differ');
  return password;
}

function promptSilently(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stderr.write(question);
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      prompt.removeAllListeners();
      prompt.close();
      process.stderr.write('\n');
      settle();
    };
    prompt.once('line', (line) => end(() => resolve(line)));
    prompt.once('SIGINT', () => end(() => reject(new InterruptedError('interrupted'))));
    prompt.once('close', () => end(() => resolve('')));
  });
}
