import { bodyParser } from '@koa/bodyparser';
import { Router } from '@koa/router';
import type { Guard } from '@sallyport/guard';
import { koaGuard } from '@sallyport/guard/koa';
import Koa from 'koa';
import { titleIn, TodoLists } from './todos.ts';

/** The todos API: it knows no passwords and no database of users, only whom its guard trusts. */
export function createApp(guard: Guard): Pick<Koa, 'listen'> {
  const protect = koaGuard(guard);
  const lists = new TodoLists();
  const router = new Router();

  router.get('/', (ctx) => {
    ctx.body = { message: 'Todos: sign in for yours.' };
  });

  router.get('/todos', protect({ role: ['admin', 'user'] }), (ctx) => {
    const { auth } = ctx.state;
    ctx.body = auth.hasRole('admin') ? ['Manage Todos'] : lists.of(auth.subject);
  });

  router.post('/todos', protect({ scope: 'todos:write' }), bodyParser(), (ctx) => {
    const title = titleIn(ctx.request.body);
    ctx.status = title === undefined ? 422 : 201;
    ctx.body = title === undefined ? { detail: 'title must be a text' } : { title };
    if (title !== undefined) lists.of(ctx.state.auth.subject).push(title);
  });

  router.get('/secure-data', protect(), (ctx) => {
    const { subject, expiresAt } = ctx.state.auth;
    ctx.body = { subject, expires_at: expiresAt };
  });

  router.get('/admin', protect({ role: 'admin' }), (ctx) => {
    ctx.body = { message: 'Welcome, administrator.' };
  });

  return new Koa().use(router.routes()).use(router.allowedMethods());
}
