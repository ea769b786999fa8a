import { createServer, type RequestListener } from 'node:http';
import type { Auth } from '@sallyport/auth';
import { urlHost } from './environment/addresses.ts';
import type { Settings } from './environment/settings.ts';
import { answerIncoming } from './express-handler.ts';
import { type Handler, createHandler } from './handler.ts';
import type { Log } from './logging.ts';
import { createFirstAdministrator } from './node/administrators.ts';
import { clientAddress, trustNetworks } from './node/client-address.ts';
import { watchConnections } from './node/draining.ts';
import { greetingOf, type Greeting } from './node/greeting.ts';
import { listen } from './node/listening.ts';
import { openAuth, type OpenedAuth } from './node/opening.ts';
import { chooseRequestId } from './request-id.ts';

/**
 * How long an idle connection is kept, in milliseconds: longer than proxies as a rule keep theirs, so that none of them sends
 * a request just when it is being closed.
 */
const keepAliveTimeout = 75_000;

/** How long running requests may take to finish when the server stops, in milliseconds. */
const drainPatience = 10_000;

/** A server that is listening. */
export interface RunningServer {
  readonly greeting: Greeting;
  readonly warnings: readonly string[];
  /** Stops accepting, finishes running requests (10 seconds at most), closes the database. */
  stop(): Promise<void>;
}

/**
 * Starts the authorization server these settings describe.
 *
 * Takes the port first, so that a second start fails before it touches the database; until the database is open,
 * requests are answered with 503. Does not handle signals: the `serve` command does.
 *
 * @example
 * const settings = readEnvironment({ process: { PORT: '0', DATABASE_URL: 'memory:' } });
 * const server = await startServer(settings, await createLog({ level: 'info', format: 'json' }));
 * await server.stop();
 *
 * @throws {ListenError} `listen_failed`
 * @throws {EnvironmentError} `environment_invalid`
 * @throws {AuthError} `config_invalid`, `store_unavailable`
 */
export async function startServer(settings: Settings, log: Log): Promise<RunningServer> {
  let answer: RequestListener = answerNotReady;
  const server = createServer(
    { headersTimeout: 15_000, requestTimeout: 30_000, keepAliveTimeout },
    (request, response) => answer(request, response),
  );
  const connections = watchConnections(server);
  const port = await listen(server, settings);
  const opened = await open(settings, port, log).catch(async (error: unknown) => {
    await connections.stop(0);
    throw error;
  });
  answer = requestListener(settings, opened.auth, log);
  opened.auth.warmUp().catch((error: unknown) => log.failure(error, 'warm-up'));
  return {
    greeting: greetingOf(settings, {
      url: `http://${urlHost(settings.host)}:${port}`,
      issuer: opened.auth.issuer,
      location: opened.auth.location,
      secretKeyFile: opened.secretKeyFile,
      lacksAdministrator: opened.lacksAdministrator,
    }),
    warnings: opened.warnings,
    stop: async () => {
      // Streams would never finish by themselves.
      opened.auth.feed.stop();
      await connections.stop(drainPatience);
      await opened.auth.close();
    },
  };
}

interface OpenedServer extends OpenedAuth {
  readonly lacksAdministrator: boolean;
}

async function open(settings: Settings, port: number, log: Log): Promise<OpenedServer> {
  const opened = await openAuth(settings, { port, onEvent: log.event });
  try {
    // A changed ALGORITHM gets its key now: whoever asks for the published keys first finds it.
    await opened.auth.ready();
    await createFirstAdministrator(opened.auth, settings.firstAdministrator);
    return { ...opened, lacksAdministrator: !(await opened.auth.users.hasAdministrator()) };
  } catch (error) {
    await opened.auth.close();
    throw error;
  }
}

function requestListener(settings: Settings, auth: Auth, log: Log): RequestListener {
  const handle = createHandler(auth, {
    corsOrigins: settings.corsOrigins,
    onRequest: log.request,
    onError: log.failure,
  });
  const trust = trustNetworks(settings.trustedProxies);
  return (incoming, outgoing) => {
    const forwardedFor = incoming.headers['x-forwarded-for']?.toString();
    const address = clientAddress(incoming.socket.remoteAddress, forwardedFor, trust);
    const logged: Handler = (request, info) => {
      const context = { requestId: chooseRequestId(request.headers), ...(address !== undefined && { address }) };
      return log.within(context, () => handle(request, { ...info, ...context }));
    };
    answerIncoming(logged, {}, incoming, outgoing);
  };
}

const answerNotReady: RequestListener = (_request, response) => {
  response.writeHead(503, { 'Retry-After': '1' }).end();
};
