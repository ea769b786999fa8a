import { Body, Controller, Get, Inject, Post, UnprocessableEntityException } from '@nestjs/common';
import type { Access } from '@sallyport/guard';
import { Auth, Protect, Public } from './auth.ts';
import { titleIn, TodoLists } from './todos.ts';

/** The todos API. Everything in this app is guarded; what is open says so. */
@Controller()
export class TodosController {
  readonly #lists: TodoLists;

  constructor(@Inject(TodoLists) lists: TodoLists) {
    this.#lists = lists;
  }

  @Get()
  @Public()
  welcome(): object {
    return { message: 'Todos: sign in for yours.' };
  }

  @Get('todos')
  @Protect({ role: ['admin', 'user'] })
  todos(@Auth() auth: Access): string[] {
    return auth.hasRole('admin') ? ['Manage Todos'] : this.#lists.of(auth.subject);
  }

  @Post('todos')
  @Protect({ scope: 'todos:write' })
  add(@Auth() auth: Access, @Body() body: unknown): object {
    const title = titleIn(body);
    if (title === undefined) throw new UnprocessableEntityException('title must be a text');
    this.#lists.of(auth.subject).push(title);
    return { title };
  }

  @Get('secure-data')
  secureData(@Auth() auth: Access): object {
    return { subject: auth.subject, expires_at: auth.expiresAt };
  }

  @Get('admin')
  @Protect({ role: 'admin' })
  admin(): object {
    return { message: 'Welcome, administrator.' };
  }
}
