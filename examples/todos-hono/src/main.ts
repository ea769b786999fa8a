import { serve } from '@hono/node-server';
import { createGuard } from '@sallyport/guard';
import { createApp } from './app.ts';

const { PORT = '8001', ISSUER = 'http://127.0.0.1:8000', AUDIENCE = ISSUER, FEED_CREDENTIAL = '' } = process.env;

// With the feed the guard learns of revocations and changed roles at once, without it when a token expires.
const feed = FEED_CREDENTIAL === '' ? {} : { feed: { credential: FEED_CREDENTIAL } };
const guard = createGuard({ issuer: ISSUER, audience: AUDIENCE.split(','), ...feed });
if ('feed' in feed) await guard.ready();

const server = serve({ fetch: createApp(guard).fetch, port: Number(PORT), hostname: '127.0.0.1' }, () => {
  console.log(`Todos on http://127.0.0.1:${PORT}, trusting ${ISSUER}`);
});

// Requests under way are answered, the guard takes leave of the issuer, then the process ends by itself.
const stop = (): void => void server.close(() => void guard.close());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
