import type { Auth, Role } from '@sallyport/auth';
import type { Access } from '@sallyport/guard';
import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';
import { mayDefine, requireEvery } from '../privilege.ts';
import { showRole } from '../representations.ts';
import { listOf, names, role, roleName } from '../schemas.ts';

const roleDefinition = z
  .strictObject({ scopes: names.meta({ examples: [['todos:read', 'todos:write']] }) })
  .meta({ id: 'RoleDefinition' });

const byName = z.strictObject({ name: roleName });
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
    'given or taken; a role without scopes is for those who have it, and for administrators.',
  params: byName,
  body: { schema: roleDefinition, mediaTypes: ['application/json'] },
  success: { status: 200, description: 'The role', schema: role },
  refusals: ['insufficient_scope', 'role_built_in'],
  handle: async ({ auth, caller, params, body }) => {
    const { name } = params;
    requireEvery(mayDefine, caller, [...(await rolesCalled(auth, name)), { name, scopes: body.scopes }]);
    return showRole(await auth.roles.set(name, body.scopes));
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
    requireEvery(mayDefine, caller, await rolesCalled(auth, params.name));
    await auth.roles.delete(params.name);
  },
});

/** The role of this name, or none. */
async function rolesCalled(auth: Auth, name: string): Promise<readonly Role[]> {
  return (await auth.roles.list()).filter((each) => each.name === name);
}
