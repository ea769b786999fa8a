// A bare node:http server that answers what a token endpoint answers: tsx bare-http-server.ts PORT FILE rotation|engine
import { createServer } from 'node:http';
import { createAuth } from '@sallyport/auth';
import { bareRotation } from './bare-sqlite.ts';
import { openStore, secretKey } from './sessions.ts';

const [port = '', file = '', what = ''] = process.argv.slice(2);

/** Gives the answer to a presented token. */
type Refresh = (token: string) => Promise<object>;

const ways: Readonly<Record<string, () => Promise<Refresh>>> = {
  /** Rotates sessions with group commit and makes no token. */
  rotation: () => {
    const { together } = bareRotation(file);
    const token = 'x'.repeat(560);
    return Promise.resolve(async (id) => {
      await together(id);
      return { access_token: token, token_type: 'Bearer', expires_in: 900, refresh_token: id };
    });
  },
  /** Asks the whole engine. */
  engine: async () => {
    const store = openStore(`file:${file}`);
    const auth = await createAuth({ issuer: 'https://auth.example.com', store, secretKey, algorithm: 'HS256' });
    return async (presented) => {
      const { accessToken, expiresIn, refreshToken } = await auth.refresh({ refreshToken: presented });
      return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn, refresh_token: refreshToken };
    };
  },
};

const refresh = await ways[what]?.();
if (refresh === undefined) throw new Error(`there is no "${what}"`);

async function answerTo(body: string): Promise<string> {
  const { refresh_token: token } = JSON.parse(body) as { refresh_token: string };
  return JSON.stringify(await refresh?.(token));
}

// Connections stay open for as long as those of the others take their turns.
createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += String(chunk)));
  request.on('end', () => {
    if (body === '') response.end();
    else answerTo(body).then((answer) => response.setHeader('content-type', 'application/json').end(answer), fail);
  });
}).listen(Number(port), '127.0.0.1');

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
