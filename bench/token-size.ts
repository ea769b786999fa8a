import { type Algorithm } from '@sallyport/jwt';
import { createAuth } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';

const algorithms = ['HS256', 'ES256', 'EdDSA', 'RS256'] as const satisfies readonly Algorithm[];
const roleCounts = [1, 4, 20] as const;
const issuer = 'https://auth.example.com';

/** The length of an access token of a user with so many roles, of two scopes each. */
async function tokenSize(algorithm: Algorithm, roleCount: number): Promise<number> {
  const secretKey = 'bench-only-k3y-material-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH';
  const auth = await createAuth({ issuer, store: sqlite(':memory:'), secretKey, algorithm });
  try {
    const roles = Array.from({ length: roleCount }, (_, index) => `team-${String(index + 1)}`);
    for (const role of roles) await auth.roles.set(role, [`${role}:read`, `${role}:write`]);
    const user = await auth.users.create({ username: 'ada', password: 'plum-otter-violin-91', roles });
    const { accessToken } = await auth.tokens.issue(user.id);
    return accessToken.length;
  } finally {
    await auth.close();
  }
}

/** Measures real access tokens; the aim is below 600 bytes with a few roles and below 1024 with twenty. */
export async function benchTokenSize(): Promise<string> {
  const rows: string[] = [];
  for (const algorithm of algorithms) {
    const sizes: number[] = [];
    for (const count of roleCounts) sizes.push(await tokenSize(algorithm, count));
    rows.push(`| ${algorithm} | ${sizes.join(' | ')} |`);
  }
  return [
    'Bytes of an access token.',
    '',
    `| algorithm | ${roleCounts.map((count) => `${String(count)} role${count === 1 ? '' : 's'}`).join(' | ')} |`,
    `|---|${roleCounts.map(() => '--:|').join('')}`,
    ...rows,
  ].join('\n');
}
