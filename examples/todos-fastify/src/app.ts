import type { Guard } from '@sallyport/guard';
import { fastifyGuard } from '@sallyport/guard/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { titleIn, TodoLists } from './todos.ts';

/** The todos API: it knows no passwords and no database of users, only whom its guard trusts. */
export function createApp(guard: Guard): FastifyInstance {
  const protect = fastifyGuard(guard);
  const lists = new TodoLists();
  const app = Fastify();

  app.get('/', () => ({ message: 'Todos: sign in for yours.' }));

  app.get('/todos', { onRequest: protect({ role: ['admin', 'user'] }) }, ({ auth }) =>
    auth.hasRole('admin') ? ['Manage Todos'] : lists.of(auth.subject),
  );

  app.post('/todos', { onRequest: protect({ scope: 'todos:write' }) }, ({ auth, body }, reply) => {
    const title = titleIn(body);
    if (title === undefined) return reply.code(422).send({ detail: 'title must be a text' });
    lists.of(auth.subject).push(title);
    return reply.code(201).send({ title });
  });

  app.get('/secure-data', { onRequest: protect() }, ({ auth }) => ({
    subject: auth.subject,
    expires_at: auth.expiresAt,
  }));

  app.get('/admin', { onRequest: protect({ role: 'admin' }) }, () => ({ message: 'Welcome, administrator.' }));

  return app;
}
