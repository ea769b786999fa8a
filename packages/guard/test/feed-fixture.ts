import { afterEach } from 'vitest';
import {
  type Change,
  changeKinds,
  createGuard,
  type FeedOptions,
  type Guard,
  type GuardOptions,
} from '@sallyport/guard';
import { FeedServer } from './feed-server.ts';
import { anAccessToken, audience, issuer, issuerKeys } from './tokens.ts';
import { until } from './until.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

/** A server of the feed that ends with the test. */
export async function aFeedServer(): Promise<FeedServer> {
  const server = await new FeedServer().start();
  cleanups.push(() => server.stop());
  defineRoles(server);
  return server;
}

/** What every log begins with: two entries. */
function defineRoles(server: FeedServer): void {
  server.append({ kind: changeKinds.roleDefinition, key: 'user', data: { scopes: ['todos:read'] } });
  server.append({ kind: changeKinds.roleDefinition, key: 'admin', data: { scopes: ['*'] } });
}

export type FollowingOptions = Partial<Omit<GuardOptions, 'feed'>> & { readonly feed?: Partial<FeedOptions> };

/** A guard that follows these servers and ends with the test. */
export function aFollower(servers: readonly FeedServer[], { feed, ...options }: FollowingOptions = {}): Guard {
  const [server] = servers;
  const guard = createGuard({
    issuer,
    audience,
    keys: issuerKeys,
    ...options,
    feed: { credential: server?.credential ?? '', nodes: servers.map(({ url }) => url), ...feed },
  });
  cleanups.push(() => guard.close());
  return guard;
}

/** A server and a guard that follows it and is ready, after the server has been told how to behave. */
export async function aFollowing(
  options: FollowingOptions = {},
  prepare: (server: FeedServer) => void = () => undefined,
): Promise<{ server: FeedServer; guard: Guard }> {
  const server = await aFeedServer();
  prepare(server);
  const guard = aFollower([server], options);
  await guard.ready();
  return { server, guard };
}

/** What a guard says of a token at once; a promise is no answer here. */
export function verdictNow(guard: Guard, token: string, requirement: Parameters<Guard['check']>[1] = {}): string {
  const verdict = guard.check({ authorization: [`Bearer ${token}`] }, requirement);
  if (verdict instanceof Promise) return 'later';
  return verdict.granted ? 'granted' : verdict.refusal.body.code;
}

/** What a guard says of a token, sooner or later. */
export async function verdictOn(
  guard: Guard,
  token: string,
  requirement: Parameters<Guard['check']>[1] = {},
): Promise<string> {
  const verdict = await guard.check({ authorization: [`Bearer ${token}`] }, requirement);
  return verdict.granted ? 'granted' : verdict.refusal.body.code;
}

/** Waits until a guard has taken in everything a server knows. */
export async function caughtUp(guard: Guard, server: FeedServer): Promise<void> {
  await until('the guard knows the whole log', () => guard.status().cursor === server.cursor);
}

/** A token of the session, issued when the log was as far as the server knows. */
export function aTokenOf(server: FeedServer, session: string, claims: Readonly<Record<string, unknown>> = {}): string {
  return anAccessToken({ sid: session, sub: `user of ${session}`, af: server.head, ...claims });
}

/** The end of a session. */
export const theEndOf = (session: string): Pick<Change, 'kind' | 'key'> => ({
  kind: changeKinds.sessionDead,
  key: session,
});
