import type { AddressInfo } from 'node:net';
import type * as common from '@nestjs/common';
import type { Access } from '@sallyport/guard';
import { type NestGuard, nestGuard } from '@sallyport/guard/nestjs';
import type { StartApp } from './contract/contract-app.ts';

/** `@nestjs/common` of one version. */
type Nest = typeof common;
type CreateApp = (module: common.DynamicModule) => Promise<common.INestApplication>;
type Handled = Parameters<StartApp>[1];
type Declare = (nest: Nest, guard: NestGuard, handled: Handled) => Omit<common.DynamicModule, 'module'>;

const isOwn = ({ subject }: Access, context: common.ExecutionContext): boolean =>
  context.switchToHttp().getRequest<{ params: { subject?: string } }>().params.subject === subject;

/** Guards stand on the routes. */
const routesApp: Declare = ({ Controller, Get, HttpCode, Post }, { Protect, Auth }, handled) => {
  const answer = (auth: Access | undefined) => {
    handled(auth);
    return { subject: auth?.subject };
  };
  @Controller()
  class Routes {
    @Get('me')
    @Protect()
    me(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('todos')
    @Protect({ scope: 'todos:read' })
    todos(@Auth() auth: Access) {
      return answer(auth);
    }
    @Post('todos')
    @HttpCode(200)
    @Protect({ scope: ['todos:read', 'todos:write'] })
    add(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('admin')
    @Protect({ role: 'admin' })
    admin(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('greeting')
    @Protect({ optional: true })
    greeting(@Auth() auth: Access | undefined) {
      return answer(auth);
    }
    @Get('fresh')
    @Protect({ maxAge: 300 })
    fresh(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('own/:subject')
    @Protect({ policy: isOwn })
    own(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('demanding')
    @Protect()
    demanding(@Auth() auth: Access) {
      handled(auth);
      auth.demand({ role: 'admin' });
      return { subject: auth.subject };
    }
  }
  return { controllers: [Routes] };
};

/** One guard stands on the controller, what is public says so, and some routes ask for more. */
const controllerApp: Declare = ({ Controller, Get, HttpCode, Post }, { Protect, Public, Auth }, handled) => {
  const answer = (auth: Access | undefined) => {
    handled(auth);
    return { subject: auth?.subject };
  };
  @Controller()
  @Protect()
  class Guarded {
    @Get('me')
    me(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('todos')
    @Protect({ scope: 'todos:read' })
    todos(@Auth() auth: Access) {
      return answer(auth);
    }
    @Post('todos')
    @HttpCode(200)
    @Protect({ scope: ['todos:read', 'todos:write'] })
    add(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('fresh')
    @Protect({ maxAge: 300 })
    fresh(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('own/:subject')
    @Protect({ policy: isOwn })
    own(@Auth() auth: Access) {
      return answer(auth);
    }
    @Get('demanding')
    demanding(@Auth() auth: Access) {
      handled(auth);
      auth.demand({ role: 'admin' });
      return { subject: auth.subject };
    }
    // A guard of its own is stronger than the word.
    @Public()
    @Get('admin')
    @Protect({ role: 'admin' })
    admin(@Auth() auth: Access) {
      return answer(auth);
    }
  }
  @Controller()
  @Public()
  class Open {
    @Get('greeting')
    @Protect({ optional: true })
    greeting(@Auth() auth: Access | undefined) {
      return answer(auth);
    }
    @Get('open')
    open() {
      return {};
    }
  }
  return { controllers: [Guarded, Open] };
};

function serve(declare: Declare, isBeforeEverything = false) {
  return (nest: Nest, create: CreateApp): StartApp =>
    async (guard, handled) => {
      const decorators = nestGuard(guard);
      class Root {
        readonly name = 'root';
      }
      const imports = isBeforeEverything ? [decorators.everything()] : [];
      const app = await create({ module: Root, imports, ...declare(nest, decorators, handled) });
      await app.listen(0, '127.0.0.1');
      const { port } = app.getHttpServer().address() as AddressInfo;
      const close = async (): Promise<void> => {
        app.getHttpServer().closeAllConnections();
        await app.close();
      };
      return { port, close };
    };
}

export const onRoutes = serve(routesApp);
export const byController = serve(controllerApp);
export const beforeEverything = serve(controllerApp, true);
