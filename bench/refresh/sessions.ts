import { createAuth, type Auth } from '@sallyport/auth';
import { postgres } from '@sallyport/auth/postgres';
import { sqlite } from '@sallyport/auth/sqlite';
import type { Contender } from '../rounds.ts';

export const secretKey = 'bench-only-Jv3mQx8tRk2zWn7pLc5yHd9sBf4gTa6uEe1iOo0w';

/** Contenders, and how to be done with them. */
export interface Contest {
  readonly contenders: readonly Contender[];
  close(): Promise<void>;
}

/** A database, named as DATABASE_URL does. */
export function openStore(url: string): ReturnType<typeof sqlite> {
  return url.startsWith('file:') ? sqlite(url.slice('file:'.length)) : postgres(url);
}

/** An engine on a database, with one user who has two roles and a session for each client. */
export async function seed(
  url: string,
  clients: number,
  algorithm: 'ES256' | 'HS256' = 'HS256',
): Promise<{ readonly auth: Auth; readonly sessions: readonly Seeded[] }> {
  const auth = await createAuth({ issuer: 'https://auth.example.com', store: openStore(url), secretKey, algorithm });
  await auth.roles.set('editor', ['todos:read', 'todos:write']);
  const { id } = await auth.users.create({
    username: `ada-${algorithm}`.toLowerCase(),
    password: 'plum-otter-violin-91',
    roles: ['user', 'editor'],
  });
  const sessions: Seeded[] = [];
  for (let client = 0; client < clients; client += 1) {
    const { sessionId, refreshToken } = await auth.tokens.issue(id);
    sessions.push({ sessionId, refreshToken });
  }
  return { auth, sessions };
}

interface Seeded {
  readonly sessionId: string;
  readonly refreshToken: string;
}

/** All clients at once, each with a call after another; what a call returns is what the client has for the next one. */
export function everyClient<Item>(
  name: string,
  items: readonly Item[],
  work: (item: Item) => Item | Promise<Item>,
): Contender {
  const clients = items.map((item) => ({ item }));
  return {
    name,
    run: async (times) => {
      await Promise.all(
        clients.map(async (client) => {
          for (let call = 0; call < times; call += 1) client.item = await work(client.item);
        }),
      );
    },
  };
}

/** Gathers calls while a batch is under way; the next batch takes all of them. */
export function batching<Item>(work: (batch: readonly Item[]) => Promise<void>): (item: Item) => Promise<void> {
  let waiting: { readonly item: Item; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  let isWorking = false;
  const drain = async (): Promise<void> => {
    isWorking = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await work(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      await new Promise(setImmediate);
    }
    isWorking = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isWorking) setImmediate(() => void (isWorking || drain()));
    });
}
