import { createApp } from './app.ts';

const { PORT = '8001', ISSUER = 'http://127.0.0.1:8000', AUDIENCE = ISSUER } = process.env;

const app = createApp({ issuer: ISSUER, audience: AUDIENCE.split(',') });
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
console.log(`Todos on http://127.0.0.1:${PORT}, trusting ${ISSUER}`);

// Requests under way are answered, then the process ends by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
