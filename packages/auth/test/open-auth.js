// Opens the engine on a database and says which keys there are. JavaScript, which a process starts sooner.
import { createAuth } from '../dist/index.js';
import { postgres } from '../dist/stores/postgres.js';
import { sqlite } from '../dist/stores/sqlite.js';

const [url = ''] = process.argv.slice(2);
const store = url.startsWith('file:') ? sqlite(url.slice(5)) : postgres(url);
const auth = await createAuth({
  issuer: 'https://auth.test',
  store,
  secretKey: 'the same secret in every process that starts',
});
const keys = await auth.keys.list();
await auth.close();
process.stdout.write(JSON.stringify(keys.map((key) => key.keyId)));
