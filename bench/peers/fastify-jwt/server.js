// Fastify with @fastify/jwt, with its cache of verified tokens and without: node server.js SETTINGS
import fastifyJwt from '@fastify/jwt';
import Fastify from 'fastify';

const { port, secret, issuer, audience, typ, todos } = JSON.parse(process.argv[2]);
const app = Fastify();

/** A hook that lets in who brings a good token. */
async function guard(namespace, cache) {
  await app.register(fastifyJwt, {
    secret: Buffer.from(secret, 'base64url'),
    namespace,
    jwtVerify: `${namespace}Verify`,
    verify: { algorithms: ['HS256'], allowedIss: issuer, allowedAud: audience, checkTyp: typ, cache },
  });
  return (request) => request[`${namespace}Verify`]();
}

const handler = async () => todos;
app.get('/open', handler);
app.get('/cached', { onRequest: await guard('cached', true) }, handler);
app.get('/uncached', { onRequest: await guard('uncached', false) }, handler);
await app.listen({ port, host: '127.0.0.1' });
