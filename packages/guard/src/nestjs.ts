import type { IncomingMessage } from 'node:http';
import {
  applyDecorators,
  type ArgumentsHost,
  type CanActivate,
  Catch,
  createParamDecorator,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  SetMetadata,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, ModulesContainer } from '@nestjs/core';
import type { AnyTerms, Requirement, Terms } from './access.ts';
import { AccessRefusedError } from './access-refused-error.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import { attachAccess } from './granted-request.ts';
import type { Guard } from './guard.ts';
import { documentHandler, handlersOf } from './openapi/nest-metadata.ts';
import { type Protection, protectionBy } from './openapi/protections.ts';
import type { ResolvedRequirement } from './requirement.ts';

/** The decorators and the module by which an app uses a guard. */
export interface NestGuard<Words extends Terms = AnyTerms> {
  /**
   * A decorator for a controller or a route. Where both have one, both must be met.
   *
   * @throws {TypeError} when the requirement is misspelt.
   */
  readonly Protect: (requirement?: Requirement<Words, ExecutionContext>) => ClassDecorator & MethodDecorator;
  /** A decorator for what anybody may reach although its controller or the whole app is guarded. */
  readonly Public: () => ClassDecorator & MethodDecorator;
  /** A decorator for a handler's parameter: it takes who calls, or `undefined` where no guard has let anybody in. */
  readonly Auth: () => ParameterDecorator;
  /** A module that guards every route of the app but the public ones. Routes may ask for more with `Protect`. */
  readonly everything: (requirement?: Requirement<Words, ExecutionContext>) => DynamicModule;
}

/** What an Express request and a Fastify request have in common. */
interface PlatformRequest extends IncomingMessage {
  readonly raw?: IncomingMessage;
  readonly originalUrl: string;
  readonly body?: unknown;
}

/** What an Express response and a Fastify reply have in common. */
interface PlatformResponse {
  status(code: number): PlatformResponse;
  header(name: string, value: string): PlatformResponse;
  send(body: string): unknown;
}

const markKey = 'sallyport:guard';

type Mark = 'protected' | 'public';

const Mark = (mark: Mark): ClassDecorator & MethodDecorator => SetMetadata(markKey, mark);

/** What is written on a route and on its controller. */
interface Marks {
  readonly route: Mark | undefined;
  readonly controller: Mark | undefined;
}

/** Where a guard stands. */
type Place = 'everything' | 'controller' | 'route';

/** Where a guard leaves the decision to a mark that is nearer to the handler. */
const leaves: Readonly<Record<Place, (marks: Marks) => boolean>> = {
  everything: ({ route, controller }) => (route ?? controller) !== undefined,
  controller: ({ route }) => route === 'public',
  route: () => false,
};

/** Answers refusals, whether a guard or a handler's demand is behind them. */
class RefusalFilter implements ExceptionFilter<AccessRefusedError> {
  catch({ refusal: { status, headers, body } }: AccessRefusedError, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<PlatformResponse>().status(status);
    for (const [name, value] of Object.entries(headers)) response.header(name, value);
    response.send(JSON.stringify(body));
  }
}
Catch(AccessRefusedError)(RefusalFilter);

/**
 * Protects controllers and routes of NestJS 11 and 12 with a guard, on Express and on Fastify.
 *
 * @example
 * import { Controller, Get, Module } from '@nestjs/common';
 * import { type Access, createGuard } from '@sallyport/guard';
 * import { nestGuard } from '@sallyport/guard/nestjs';
 *
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' });
 * const { Protect, Public, Auth, everything } = nestGuard(guard);
 *
 * @Controller()
 * class TodosController {
 *   @Get('todos')
 *   @Protect({ scope: 'todos:read' })
 *   todos(@Auth() auth: Access): object {
 *     return { owner: auth.subject };
 *   }
 *
 *   @Get()
 *   @Public()
 *   welcome(): string {
 *     return 'Sign in for your todos';
 *   }
 * }
 *
 * @Module({ imports: [everything()], controllers: [TodosController] })
 * export class AppModule {}
 */
export function nestGuard<Words extends Terms>(guard: Guard<Words>): NestGuard<Words> {
  const judge = async (context: ExecutionContext, required: ResolvedRequirement<ExecutionContext>): Promise<true> => {
    if (context.getType() !== 'http') throw new TypeError('This guard knows HTTP requests alone');
    const request = context.switchToHttp().getRequest<PlatformRequest>();
    const details = { target: request.originalUrl, body: () => request.body };
    const verdict = await guard.check(nodeRequest(request.raw ?? request, details), required, context);
    if (!verdict.granted) throw new AccessRefusedError(verdict.refusal);
    attachAccess(request, verdict.access);
    return true;
  };
  const guardOf = (place: Place, required: ResolvedRequirement<ExecutionContext>): CanActivate => ({
    canActivate: (context) =>
      leaves[place](marksOf(context.getHandler(), context.getClass())) || judge(context, required),
  });
  return {
    Protect: (requirement) => {
      const required = guard.resolve(requirement);
      const protection = protectionBy(guard, required);
      return <Value>(target: object, key?: string | symbol, descriptor?: TypedPropertyDescriptor<Value>): void => {
        const place = descriptor === undefined ? 'controller' : 'route';
        const decorators = [UseGuards(guardOf(place, required)), UseFilters(new RefusalFilter()), Mark('protected')];
        applyDecorators(...decorators)(target, key, descriptor);
        if (descriptor === undefined) documentController('controller', target, protection);
        else documentHandler(Object(descriptor.value), protection);
      };
    },
    Public: () => Mark('public'),
    Auth: createParamDecorator((_, context: ExecutionContext) =>
      Reflect.get(context.switchToHttp().getRequest(), 'auth'),
    ),
    everything: (requirement) => {
      const required = guard.resolve(requirement);
      const protection = protectionBy(guard, required);
      return {
        module: GuardedApp,
        providers: [
          { provide: APP_GUARD, useValue: guardOf('everything', required) },
          { provide: APP_FILTER, useValue: new RefusalFilter() },
          {
            provide: Symbol('documentation'),
            inject: [ModulesContainer],
            useFactory: (modules: ModulesContainer) => documentApp(modules, protection),
          },
        ],
      };
    },
  };
}

/** The module that guards everything: Nest tells modules apart by their classes. */
// oxlint-disable-next-line typescript/no-extraneous-class
class GuardedApp {}

/** Documents a guard that stands before a whole app, all of whose controllers are known by now. */
function documentApp(modules: ModulesContainer, protection: Protection): void {
  const controllers = [...modules.values()].flatMap((module) => [...module.controllers.values()]);
  for (const { metatype } of controllers) documentController('everything', Object(metatype), protection);
}

/** Documents a guard that stands before a whole controller, or before more. */
function documentController(place: Place, controller: object, protection: Protection): void {
  for (const handler of handlersOf(controller)) {
    if (!leaves[place](marksOf(handler, controller))) documentHandler(handler, protection);
  }
}

function marksOf(handler: object, controller: object): Marks {
  return { route: Reflect.getMetadata(markKey, handler), controller: Reflect.getMetadata(markKey, controller) };
}
