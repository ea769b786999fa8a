import { Refresh } from '../../packages/auth/dist/tokens/refresh.js';
import { refreshPolicy } from '../../packages/auth/dist/sessions/refresh-rotation.js';
import { RefreshTokens } from '../../packages/auth/dist/sessions/refresh-token.js';
import { everyClient, openStore, secretKey, seed, type Contest } from './sessions.ts';

/** The engine itself, with the access token it signs and without. */
export async function engineContest(createUrl: () => Promise<string>, clients: number): Promise<Contest> {
  const rotation = await rotationAlone(await createUrl(), clients);
  const hs256 = await wholeRefresh(await createUrl(), clients, 'HS256');
  const es256 = await wholeRefresh(await createUrl(), clients, 'ES256');
  const contests = [rotation, hs256, es256];
  return {
    contenders: contests.flatMap(({ contenders }) => contenders),
    close: async () => {
      for (const contest of contests) await contest.close();
    },
  };
}

async function wholeRefresh(url: string, clients: number, algorithm: 'ES256' | 'HS256'): Promise<Contest> {
  const { auth, sessions } = await seed(url, clients, algorithm);
  const tokens = sessions.map(({ refreshToken }) => refreshToken);
  const refresh = async (refreshToken: string): Promise<string> => (await auth.refresh({ refreshToken })).refreshToken;
  return { contenders: [everyClient(`engine, signing ${algorithm}`, tokens, refresh)], close: () => auth.close() };
}

/** Rotation with its MACs and its decision: all of a refresh but the access token. */
async function rotationAlone(url: string, clients: number): Promise<Contest> {
  const { auth, sessions } = await seed(url, clients);
  await auth.close();
  const store = openStore(url);
  const secret = Buffer.from(secretKey);
  const refreshTokens = new RefreshTokens(secret);
  const refresh = new Refresh({
    store,
    refreshTokens,
    issuer: unsigned(refreshTokens),
    lifetimes: { idle: 86_400, absolute: 864_000 },
    policy: refreshPolicy('resilient', 86_400),
    clock: () => new Date(),
    emit: () => undefined,
  });
  const tokens = sessions.map(({ refreshToken }) => refreshToken);
  const rotate = async (refreshToken: string): Promise<string> =>
    (await refresh.withToken({ refreshToken })).refreshToken;
  return { contenders: [everyClient('engine, rotation alone', tokens, rotate)], close: () => store.close() };
}

type Issuer = ConstructorParameters<typeof Refresh>[0]['issuer'];

/** Makes refresh tokens and signs nothing. */
function unsigned(refreshTokens: RefreshTokens): Issuer {
  const issue: Issuer['issue'] = ({ session, user, granted }) =>
    Promise.resolve({
      accessToken: '',
      expiresIn: 0,
      refreshExpiresIn: 0,
      refreshToken: refreshTokens.make(session.id, session.generation, session.salt),
      scope: granted.scope,
      sessionId: session.id,
      userId: user.id,
    });
  return { issue };
}
