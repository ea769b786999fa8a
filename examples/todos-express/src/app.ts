import { createGuard } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import express, { type Express } from 'express';
import { titleIn, TodoLists } from './todos.ts';

/** What this API must know to trust somebody's tokens. */
export interface TodosConfig {
  /** The authorization server. Its keys are fetched from there, once. */
  readonly issuer: string;
  /** This API's name in the tokens' `aud`. */
  readonly audience: string | readonly string[];
}

/** The todos API: it knows no passwords and no database of users, only whom to trust. */
export function createApp({ issuer, audience }: TodosConfig): Express {
  const protect = expressGuard(createGuard({ issuer, audience }));
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
