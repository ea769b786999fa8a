// A bare node:http server that rotates sessions with group commit and answers what a token endpoint answers, without
// making a token: tsx bare-http-server.ts PORT FILE
import { createServer } from 'node:http';
import { bareRotation } from './bare-sqlite.ts';

const [port = '', file = ''] = process.argv.slice(2);
const { together } = bareRotation(file);
const token = 'x'.repeat(560);

async function answerTo(body: string): Promise<string> {
  const { refresh_token: id } = JSON.parse(body) as { refresh_token: string };
  await together(id);
  return JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 900, refresh_token: id });
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
