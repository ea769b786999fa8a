import type { Auth } from '@sallyport/auth';
import type { EmptyDatabase } from '../../packages/auth/test/databases.ts';
import { startFleet } from '../../test/races/fleet.ts';

const issuedAtOnce = 16;

/** Servers that guards follow, whatever they are. */
export interface FollowedServers {
  readonly addresses: readonly { readonly url: string }[];
  readonly pids: () => readonly (number | undefined)[];
  /** The program of their guards, and what those must know. */
  readonly guard: { readonly program: string; readonly issuer: string; readonly credential: string };
  /** Makes tokens that can be revoked. */
  readonly issue: (count: number) => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

/** Starts servers of ours on a database. */
export async function startServers(database: EmptyDatabase, count: number): Promise<FollowedServers> {
  const fleet = await startFleet(database, () => ({}), count);
  const { issuer, feed } = fleet.auth;
  const { credential } = await feed.credentials.create('bench');
  return {
    addresses: fleet.servers,
    pids: () => fleet.servers.map(({ program }) => program.child.pid),
    guard: { program: 'guard-program.ts', issuer, credential },
    issue: (tokens) => issue(fleet.auth, tokens),
    stop: () => fleet.stop(),
  };
}

/** Signs somebody in so many times. */
async function issue({ users, tokens }: Auth, count: number): Promise<string[]> {
  const { id } = await users.create({ username: 'ada', password: 'plum-otter-violin-91' });
  const issued: string[] = [];
  const lane = async (): Promise<void> => {
    while (issued.length < count) issued.push((await tokens.issue(id)).accessToken);
  };
  await Promise.all(Array.from({ length: issuedAtOnce }, lane));
  return issued.slice(0, count);
}
