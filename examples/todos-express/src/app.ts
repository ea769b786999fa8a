import type { Guard } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import express, { type Express } from 'express';
import { titleIn, TodoLists } from './todos.ts';

/** The todos API: it knows no passwords and no database of users, only whom its guard trusts. */
export function createApp(guard: Guard): Express {
  const protect = expressGuard(guard);
  const lists = new TodoLists();
  const app = express();
  app.disable('x-powered-by');

  app.get('/', (_request, response) => {
    response.json({ message: 'Todos: sign in for yours.' });
  });

  app.get('/todos', protect({ role: ['admin', 'user'] }), ({ auth }, response) => {
    response.json(auth.hasRole('admin') ? ['Manage Todos'] : lists.of(auth.subject));
  });

  app.post('/todos', protect({ scope: 'todos:write' }), express.json(), ({ auth, body }, response) => {
    const title = titleIn(body);
    if (title === undefined) {
      response.status(422).json({ detail: 'title must be a text' });
      return;
    }
    lists.of(auth.subject).push(title);
    response.status(201).json({ title });
  });

  app.get('/secure-data', protect(), ({ auth }, response) => {
    response.json({ subject: auth.subject, expires_at: auth.expiresAt });
  });

  app.get('/admin', protect({ role: 'admin' }), (_request, response) => {
    response.json({ message: 'Welcome, administrator.' });
  });

  return app;
}
