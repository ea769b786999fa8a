import { createGuard } from '@sallyport/guard';
import { fastifyGuard } from '@sallyport/guard/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { titleIn, TodoLists } from './todos.ts';

/** What this API must know to trust somebody's tokens. */
export interface TodosConfig {
  /** The authorization server. Its keys are fetched from there, once. */
  readonly issuer: string;
  /** This API's name in the tokens' `aud`. */
  readonly audience: string | readonly string[];
}

/** The todos API: it knows no passwords and no database of users, only whom to trust. */
export function createApp({ issuer, audience }: TodosConfig): FastifyInstance {
  const protect = fastifyGuard(createGuard({ issuer, audience }));
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
