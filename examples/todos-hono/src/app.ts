import type { Guard } from '@sallyport/guard';
import { honoGuard } from '@sallyport/guard/hono';
import { Hono } from 'hono';
import { titleIn, TodoLists } from './todos.ts';

/** The todos API: it knows no passwords and no database of users, only whom its guard trusts. */
export function createApp(guard: Guard): Hono {
  const protect = honoGuard(guard);
  const lists = new TodoLists();
  const app = new Hono();

  app.get('/', (context) => context.json({ message: 'Todos: sign in for yours.' }));

  app.get('/todos', protect({ role: ['admin', 'user'] }), (context) => {
    const { auth } = context.var;
    return context.json(auth.hasRole('admin') ? ['Manage Todos'] : lists.of(auth.subject));
  });

  app.post('/todos', protect({ scope: 'todos:write' }), async (context) => {
    const title = titleIn(await context.req.json().catch(() => undefined));
    if (title === undefined) return context.json({ detail: 'title must be a text' }, 422);
    lists.of(context.var.auth.subject).push(title);
    return context.json({ title }, 201);
  });

  app.get('/secure-data', protect(), (context) => {
    const { subject, expiresAt } = context.var.auth;
    return context.json({ subject, expires_at: expiresAt });
  });

  app.get('/admin', protect({ role: 'admin' }), (context) => context.json({ message: 'Welcome, administrator.' }));

  return app;
}
