// Express with express-jwt, which remembers no tokens: node server.js SETTINGS
import { createSecretKey } from 'node:crypto';
import express from 'express';
import { expressjwt } from 'express-jwt';

const { port, secret, issuer, audience, todos } = JSON.parse(process.argv[2]);
// As its documents have it, with the secret as text, each request would cost several times as much.
const key = createSecretKey(Buffer.from(secret, 'base64url'));
const guard = expressjwt({ secret: key, algorithms: ['HS256'], issuer, audience });

const handler = (_request, response) => response.json(todos);
const app = express();
app.get('/open', handler);
app.get(['/cached', '/uncached'], guard, handler);
app.listen(port, '127.0.0.1');
