// Hono with hono/jwt, which remembers no tokens: node server.js SETTINGS
import { webcrypto } from 'node:crypto';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { jwt } from 'hono/jwt';

const { port, secret, issuer, audience, typ, todos } = JSON.parse(process.argv[2]);
const algorithm = { name: 'HMAC', hash: 'SHA-256' };
const bytes = Buffer.from(secret, 'base64url');
const key = await webcrypto.subtle.importKey('raw', bytes, algorithm, false, ['verify']);
const guard = jwt({ secret: key, alg: 'HS256', verification: { iss: issuer, aud: audience, typ } });

const handler = (context) => context.json(todos);
const app = new Hono();
app.get('/open', handler);
app.get('/cached', guard, handler);
app.get('/uncached', guard, handler);
serve({ fetch: app.fetch, port, hostname: '127.0.0.1' });
