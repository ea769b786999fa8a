import { Module } from '@nestjs/common';
import { everything } from './auth.ts';
import { TodosController } from './todos.controller.ts';
import { TodoLists } from './todos.ts';

@Module({ imports: [everything()], controllers: [TodosController], providers: [TodoLists] })
export class AppModule {
  readonly name = 'todos';
}
