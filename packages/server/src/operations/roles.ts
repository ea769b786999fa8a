import type { Auth } from '@sallyport/auth';
import type { Access } from '@sallyport/guard';
import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';
import { requireHolding } from '../privilege.ts';
import { showRole } from '../representations.ts';
import { listOf, names, role, text } from '../schemas.ts';

const roleDefinition = z
  .strictObject({ scopes: names.meta({ examples: [['todos:read', 'todos:write']] }) })
  .meta({ id: 'RoleDefinition' });

const byName = z.strictObject({ name: text });
const roles = listOf('Roles', role);

/** `GET /roles` */
export const listRoles: Operation<Access> = defineOperation({
  id: 'listRoles',
  tag: 'Roles',
  summary: 'List roles and their scopes',
  success: { status: 200, description: 'All roles', schema: roles },
  handle: async ({ auth }) => ({ items: (await auth.roles.list()).map(showRole) }),
});

/** `PUT /roles/{name}` */
export const setRole: Operation<Access> = defineOperation({
  id: 'setRole',
  tag: 'Roles',
  summary: 'Define a role, new or not',
  description:
    'A role is a name and its scopes. Acts at once for everybody who has it. Only scopes that you hold yourself can be ' +
    'given or taken.',
  params: byName,
  body: { schema: roleDefinition, mediaTypes: ['application/json'] },
  success: { status: 200, description: 'The role', schema: role },
  refusals: ['insufficient_scope', 'role_built_in'],
  handle: async ({ auth, caller, params, body }) => {
    requireHolding(caller, [...(await scopesNow(auth, params.name)), ...body.scopes]);
    return showRole(await auth.roles.set(params.name, body.scopes));
  },
});

/** `DELETE /roles/{name}` */
export const deleteRole: Operation<Access> = defineOperation({
  id: 'deleteRole',
  tag: 'Roles',
  summary: 'Delete a role and take it from everybody',
  params: byName,
  success: { status: 204, description: 'The role is gone' },
  refusals: ['insufficient_scope', 'role_not_found', 'role_built_in'],
  handle: async ({ auth, caller, params }) => {
    requireHolding(caller, await scopesNow(auth, params.name));
    await auth.roles.delete(params.name);
  },
});

async function scopesNow(auth: Auth, name: string): Promise<readonly string[]> {
  return (await auth.roles.list()).find((each) => each.name === name)?.scopes ?? [];
}
