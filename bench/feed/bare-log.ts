import pg from 'pg';

/** Where the bare servers are told that their log has grown. */
export const bareChannel = 'bare_feed';

/** Makes the log of the bare servers. */
export async function createBareLog(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('create table bare_head (sequence bigint not null)');
  await client.query('insert into bare_head values (0)');
  await client.query('create table bare_log (sequence bigint primary key, token text not null)');
  await client.end();
}
