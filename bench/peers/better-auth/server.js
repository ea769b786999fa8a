// better-auth on a SQLite file, durable as ours: node server.js PORT FILE. Every look at a session renews it.
import { createServer } from 'node:http';
import { DatabaseSync } from '@photostructure/sqlite';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { SqliteDialect } from 'kysely';

const [port, file] = process.argv.slice(2);
const database = new DatabaseSync(file);
for (const pragma of ['journal_mode = wal', 'synchronous = full', 'foreign_keys = on']) {
  database.exec(`pragma ${pragma}`);
}

/** What Kysely wants of a driver. */
function prepare(sql) {
  const statement = database.prepare(sql);
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters),
    run: (parameters) => statement.run(...parameters),
    iterate: (parameters) => statement.iterate(...parameters),
  };
}

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'bench-only-k3y-material-0123456789-abcdefghijklmnop',
  database: { dialect: new SqliteDialect({ database: { prepare, close: () => database.close() } }), type: 'sqlite' },
  emailAndPassword: { enabled: true },
  session: { updateAge: 0 },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});
await (await getMigrations(auth.options)).runMigrations();
const answer = toNodeHandler(auth);
createServer((request, response) => void answer(request, response)).listen(Number(port), '127.0.0.1');
