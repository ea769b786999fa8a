import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuthEvent } from '@sallyport/auth';
import { pino, stdTimeFunctions, type DestinationStream } from 'pino';
import type { LogFormat, LogLevel } from './environment/settings.ts';
import type { RequestRecord } from './handler.ts';
import { standardOutput } from './logging/destinations.ts';
import { redact } from './logging/redaction.ts';

/** What a log line can say about the request it belongs to. */
interface RequestContext {
  readonly requestId: string;
  readonly address?: string;
}

/** How to log. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Where lines go. Default: standard output. */
  readonly destination?: DestinationStream;
}

type Facts = Readonly<Record<string, unknown>>;

/** The server's log: one line per request, per event and per failure. */
export interface Log {
  /** Runs a request so that every line written meanwhile carries its id and address. */
  readonly within: <Result>(context: RequestContext, run: () => Result) => Result;
  readonly request: (record: RequestRecord) => void;
  readonly event: (event: AuthEvent) => void;
  readonly failure: (error: unknown, requestId?: string) => void;
  /** Anything else worth a line. */
  readonly note: (message: string, facts?: Facts) => void;
  /** Like `note`, whatever the level: what nobody should miss. */
  readonly announce: (message: string, facts: Facts) => void;
  readonly warn: (message: string, facts?: Facts) => void;
}

/**
 * Creates the server's log.
 *
 * Lines hold ids, outcomes and addresses; tokens, passwords and keys are never passed in, and what looks like one is
 * taken out of the finished line.
 *
 * @example
 * const log = await createLog({ level: 'info', format: 'json' });
 * log.note('listening', { url: 'http://127.0.0.1:8000' });
 */
export async function createLog(options: LogOptions): Promise<Log> {
  const contexts = new AsyncLocalStorage<RequestContext>();
  const destination = options.destination ?? standardOutput();
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      hooks: { streamWrite: redact },
    },
    options.format === 'pretty' ? await prettyStream(destination) : destination,
  );
  const here = (facts: Facts): Facts => ({ ...contexts.getStore(), ...facts });
  return {
    within: (context, run) => contexts.run(context, run),
    request: ({ routine = false, ...record }) => {
      const durationMs = Math.round(record.durationMs * 10) / 10;
      const level = record.status >= 500 ? 'error' : routine && record.status < 400 ? 'debug' : 'info';
      logger[level]({ ...record, durationMs }, 'request');
    },
    event: (event) => {
      const { type, at: _at, ...facts } = event;
      logger[isSuspicious(event) ? 'warn' : 'info'](here({ event: type, ...facts }), 'event');
    },
    failure: (error, requestId) =>
      logger.error(here({ ...(requestId && { requestId }), err: error }), 'unexpected error'),
    note: (message, facts = {}) => logger.info(here(facts), message),
    announce: (message, facts) => logger.child({}, { level: 'info' }).info(here(facts), message),
    warn: (message, facts = {}) => logger.warn(here(facts), message),
  };
}

/** Events an operator looks for first. */
function isSuspicious(event: AuthEvent): boolean {
  if (event.type === 'sign_in_refused' || event.type === 'change_log_restarted') return true;
  return event.type === 'refresh_presented' && (event.outcome === 'reused' || event.outcome === 'future');
}

async function prettyStream(destination: DestinationStream): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({
    colorize: process.stdout.isTTY && process.stdout.hasColors(),
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    ignore: 'event,method,path,status,durationMs,requestId',
    messageFormat: (line, messageKey) => (headline(line) ?? String(line[messageKey])).replace(/\p{Cc}/gu, '?'),
  });
  return { write: (line) => destination.write(prettify(line)) };
}

/** The words a person reads first. */
function headline(line: Record<string, unknown>): string | undefined {
  if (typeof line['event'] === 'string') return line['event'];
  if (typeof line['method'] !== 'string') return undefined;
  return `${line['method']} ${String(line['path'])} ${String(line['status'])} ${String(line['durationMs'])} ms`;
}
