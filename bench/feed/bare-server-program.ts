// The least that a server of a feed does, in a process of its own: it writes revocations down together, follows the log on
// PostgreSQL, and hands it on. It checks nothing, knows no sessions, writes no log lines, and confirms nothing.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { batching } from '../refresh/sessions.ts';
import { bareChannel } from './bare-log.ts';

/** As many connections as the engine opens. */
const connections = 10;

const appendTokens = `with head as (
    update bare_head set sequence = sequence + $2
    returning sequence - $2 as before, pg_notify('${bareChannel}', '')
  )
  insert into bare_log (sequence, token)
  select head.before + given.place, given.token from head, unnest($1::text[]) with ordinality as given (token, place)`;
const readSince = 'select sequence, token from bare_log where sequence > $1 order by sequence';

const url = process.env['DATABASE_URL'] ?? '';
const pool = new pg.Pool({ connectionString: url, max: connections });
const followers = new Set<ServerResponse>();
let seen = '0';
let isReading = false;
let isCalledAgain = false;

const append = batching(async (tokens: readonly string[]) => {
  await pool.query({ name: 'append', text: appendTokens, values: [tokens, tokens.length] });
});

async function follow(): Promise<void> {
  isCalledAgain = true;
  if (isReading) return;
  isReading = true;
  while (isCalledAgain) {
    isCalledAgain = false;
    const { rows } = await pool.query<{ sequence: string; token: string }>({
      name: 'follow',
      text: readSince,
      values: [seen],
    });
    seen = rows.at(-1)?.sequence ?? seen;
    const piece = rows.map(({ token }) => `${token}\n`).join('');
    if (piece !== '') for (const follower of followers) follower.write(piece);
  }
  isReading = false;
}

const listener = new pg.Client(url);
await listener.connect();
listener.on('notification', () => void follow());
await listener.query(`listen ${bareChannel}`);

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  if (request.method === 'GET') {
    followers.add(response);
    response.flushHeaders();
    return;
  }
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += String(chunk)));
  request.on('end', () => {
    const { token } = JSON.parse(body) as { token: string };
    void append(token).then(() => response.end('{}'));
  });
}).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
