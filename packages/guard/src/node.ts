import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access, AnyTerms, CallersOnly, Requirement, Terms } from './access.ts';
import { AccessRefusedError } from './access-refused-error.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import { attachAccess } from './granted-request.ts';
import type { Guard } from './guard.ts';
import type { Refusal } from './refusal.ts';
import { whenSettled } from './settled.ts';
import type { Verdict } from './verdict.ts';

/** A handler of `node:http`. */
export type NodeHandler<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
) => unknown;

/** A request that a guard has granted. */
export type GuardedNodeRequest<Caller> = IncomingMessage & {
  /** Who calls. */
  readonly auth: Caller;
};

/** Puts a guard before a handler. */
export interface NodeProtect<Words extends Terms = AnyTerms> {
  /** @throws {TypeError} when the requirement is misspelt. */
  (
    requirement: CallersOnly<Words, IncomingMessage>,
    handler: NodeHandler<GuardedNodeRequest<Access<Words>>>,
  ): NodeHandler;
  (
    requirement: Requirement<Words, IncomingMessage>,
    handler: NodeHandler<GuardedNodeRequest<Access<Words> | undefined>>,
  ): NodeHandler;
}

/**
 * Protects handlers of plain `node:http` with a guard.
 *
 * A guard or a handler that breaks is answered with 500 and reported as a warning of the process; what a handler
 * demands in vain is answered as the refusal it is.
 *
 * @example
 * import { createServer } from 'node:http';
 * import { createGuard } from '@sallyport/guard';
 * import { nodeGuard } from '@sallyport/guard/node';
 *
 * const protect = nodeGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const todos = protect({ scope: 'todos:read' }, (request, response) => {
 *   response.end(`The todos of ${request.auth.subject}`);
 * });
 * createServer((request, response) => (request.url === '/todos' ? todos(request, response) : response.end()));
 */
export function nodeGuard<Words extends Terms>(guard: Guard<Words>): NodeProtect<Words> {
  function protect(
    requirement: CallersOnly<Words, IncomingMessage>,
    handler: NodeHandler<GuardedNodeRequest<Access<Words>>>,
  ): NodeHandler;
  function protect(
    requirement: Requirement<Words, IncomingMessage>,
    handler: NodeHandler<GuardedNodeRequest<Access<Words> | undefined>>,
  ): NodeHandler;
  function protect(
    requirement: Requirement<Words, IncomingMessage>,
    handler: NodeHandler<GuardedNodeRequest<never>>,
  ): NodeHandler {
    const required = guard.resolve(requirement);
    return (request, response) => {
      const act = (verdict: Verdict<Words>): unknown =>
        verdict.granted
          ? // The overloads promise each handler what the guard grants by its requirement.
            handler(attachAccess(request, verdict.access as never), response)
          : answer(response, verdict.refusal);
      const broken = (error: unknown): void => fail(response, error);
      try {
        const done = whenSettled(guard.check(nodeRequest(request), required, request), act);
        return isThenable(done) ? Promise.resolve(done).catch(broken) : done;
      } catch (error) {
        return broken(error);
      }
    };
  }
  return protect;
}

/** Whether a handler is not done yet, whoever made its promise. */
function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function answer(response: ServerResponse, { status, headers, body }: Refusal): void {
  response.writeHead(status, headers).end(JSON.stringify(body));
}

function fail(response: ServerResponse, error: unknown): void {
  if (!(error instanceof AccessRefusedError)) process.emitWarning(error instanceof Error ? error : String(error));
  if (response.headersSent) response.destroy();
  else if (error instanceof AccessRefusedError) answer(response, error.refusal);
  else response.writeHead(500).end();
}
