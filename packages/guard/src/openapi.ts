import { descriptionOf } from './openapi/guard-description.ts';
import { type OpenApiOperation, operationOf } from './openapi/operation.ts';
import { protectionsOf } from './openapi/protections.ts';
import { type SecurityScheme, securitySchemesOf } from './openapi/security-schemes.ts';

export { describeRoutes, type DescribeRoutesOptions, type OpenApiDocument } from './openapi/describe-routes.ts';
export { describeFastify, type FastifySwaggerOptions } from './openapi/fastify-swagger.ts';
export type { OpenApiOperation, OpenApiResponse } from './openapi/operation.ts';
export type { SecurityScheme } from './openapi/security-schemes.ts';

/** The `components` of an OpenAPI document that a guard's routes refer to. */
export interface OpenApiComponents {
  readonly securitySchemes: Record<string, SecurityScheme>;
}

/**
 * The security schemes of a guard, for the `components` of a document: how to sign in, and where a token may be sent.
 *
 * @example
 * import { createGuard } from '@sallyport/guard';
 * import { openApiComponents } from '@sallyport/guard/openapi';
 *
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' });
 * const document = { openapi: '3.1.0', info: { title: 'Todos', version: '1' }, components: openApiComponents(guard) };
 *
 * @throws {TypeError} for a guard that `createGuard` has not made.
 * @see {@link https://spec.openapis.org/oas/v3.1.0.html#security-scheme-object OpenAPI, section 4.8.27}
 */
export function openApiComponents(guard: object): OpenApiComponents {
  const description = descriptionOf(guard);
  if (description === undefined) throw new TypeError('openApiComponents needs a guard that createGuard has made');
  // Routes that are declared later may ask for scopes nobody has heard of yet.
  return {
    get securitySchemes() {
      return { ...securitySchemesOf(description) };
    },
  };
}

/**
 * What guards add to the operation they stand before: the ways to call it, and the answers to whom they refuse. For
 * generators that do not find it by themselves.
 *
 * @example
 * import { createGuard } from '@sallyport/guard';
 * import { honoGuard } from '@sallyport/guard/hono';
 * import { openApiOperation } from '@sallyport/guard/openapi';
 *
 * const protect = honoGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const reader = protect({ scope: 'todos:read' });
 * const { security, responses } = openApiOperation(reader);
 *
 * @throws {TypeError} when none of them is a guard, or its guard was not made by `createGuard`.
 */
export function openApiOperation(...guards: readonly unknown[]): OpenApiOperation {
  const operation = operationOf(protectionsOf(guards));
  if (operation === undefined) throw new TypeError('openApiOperation needs what `protect` has returned');
  return operation;
}
