import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../source-files.ts';

const packages = { jwt: '@sallyport/jwt', guard: '@sallyport/guard', auth: '@sallyport/auth', server: 'sallyport' };

/** What a later version may do to the database while this one still works on it: add, and nothing else. */
const laterMigration = `async (db) => {
  await db.schema.alterTable('feed_log').addColumn('later', 'text').execute();
  await db.schema.alterTable('users').addColumn('later', 'text').execute();
  await db.schema.alterTable('sessions').addColumn('later', 'integer', (column) => column.notNull().defaultTo(7)).execute();
  await db.schema.createTable('later_things').addColumn('id', 'text', (column) => column.primaryKey()).execute();
}`;

/** This program as its next version would be: built, with one more migration. */
export interface LaterVersion {
  /** Its command line. */
  readonly main: string;
  readonly remove: () => void;
}

/** Makes it inside the repository, where everything else it needs is found; dist/ is never committed. */
export function makeLaterVersion(name: string): LaterVersion {
  const folder = join(root, 'dist', name);
  rmSync(folder, { recursive: true, force: true });
  for (const [short, full] of Object.entries(packages)) {
    const copy = join(folder, 'node_modules', full);
    mkdirSync(copy, { recursive: true });
    for (const part of ['package.json', 'dist']) {
      cpSync(join(root, 'packages', short, part), join(copy, part), { recursive: true });
    }
    const own = join(root, 'packages', short, 'node_modules');
    if (existsSync(own)) symlinkSync(own, join(copy, 'node_modules'));
  }
  const migrations = join(folder, 'node_modules/@sallyport/auth/dist/stores/sql/migrations.js');
  const text = readFileSync(migrations, 'utf8');
  const later = text.replace(/^(const migrations = \[[^\]]+)\]/m, (_, known: string) => `${known}, ${laterMigration}]`);
  if (later === text) throw new Error('the list of migrations was not found');
  writeFileSync(migrations, later);
  return {
    main: join(folder, 'node_modules/sallyport/dist/cli/main.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
