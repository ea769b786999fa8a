// Plain node:http with jose, which remembers no tokens: node server.js SETTINGS
import { webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { jwtVerify } from 'jose';

const { port, secret, issuer, audience, typ, todos } = JSON.parse(process.argv[2]);
const algorithm = { name: 'HMAC', hash: 'SHA-256' };
const bytes = Buffer.from(secret, 'base64url');
const key = await webcrypto.subtle.importKey('raw', bytes, algorithm, false, ['verify']);

function handler(response) {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(todos));
}

async function guarded({ headers: { authorization = '' } }, response) {
  try {
    await jwtVerify(authorization.slice('Bearer '.length), key, { algorithms: ['HS256'], issuer, audience, typ });
  } catch {
    response.writeHead(401).end();
    return;
  }
  handler(response);
}

createServer((request, response) => {
  if (request.url === '/open') handler(response);
  else void guarded(request, response);
}).listen(port, '127.0.0.1');
