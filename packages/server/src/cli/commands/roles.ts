import { showRole } from '../../representations.ts';
import { requiredParameter, type Command } from '../command.ts';
import { textTable } from '../text-table.ts';

export const roleCommands: readonly Command[] = [
  {
    name: 'roles list',
    parameters: [],
    summary: 'list the roles and their scopes',
    options: [],
    examples: ['roles list'],
    run: async (_input, context) => {
      const roles = await (await context.auth()).roles.list();
      const rows = roles.map(({ name, scopes, builtIn }) => [name, scopes.join(' '), builtIn ? 'built in' : '']);
      return { text: textTable(['ROLE', 'SCOPES', ''], rows), json: { items: roles.map(showRole) } };
    },
  },
  {
    name: 'roles set',
    parameters: ['<name>', '<scope...>'],
    summary: 'make a role, or replace the scopes of one; users who have it notice at once',
    options: [],
    examples: ['roles set editor todos:read todos:write'],
    run: async (input, context) => {
      const role = await (await context.auth()).roles.set(requiredParameter(input, 0), input.repeated(1));
      return { text: `The role ${role.name} now means ${role.scopes.join(' ')}.`, json: showRole(role) };
    },
  },
  {
    name: 'roles delete',
    parameters: ['<name>'],
    summary: 'delete a role and take it from everybody who has it',
    options: [],
    examples: ['roles delete editor'],
    run: async (input, context) => {
      const name = requiredParameter(input, 0);
      await (await context.auth()).roles.delete(name);
      return { text: `Deleted the role ${name}.`, json: { deleted: name } };
    },
  },
];
