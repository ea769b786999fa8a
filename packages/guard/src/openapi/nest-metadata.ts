import { memberOf } from './guarded-route.ts';
import { operationOf } from './operation.ts';
import type { Protection } from './protections.ts';

/** Where `@nestjs/swagger` looks: the names its own decorators use. */
const swaggerKeys = { security: 'swagger/apiSecurity', responses: 'swagger/apiResponse' } as const;

const protectionsKey = 'sallyport:protections';

/** Lets `@nestjs/swagger` document one guard more before a handler; what the app says itself stays. */
export function documentHandler(handler: object, protection: Protection): void {
  const earlier: readonly Protection[] = Reflect.getMetadata(protectionsKey, handler) ?? [];
  const protections = [protection, ...earlier];
  const operation = operationOf(protections);
  if (operation === undefined) return;
  const ours = operationOf(earlier)?.responses ?? {};
  const stated = Object.entries(Object(Reflect.getMetadata(swaggerKeys.responses, handler)));
  const theirs = stated.filter(([status, response]) => memberOf(response, 'description') !== ours[status]?.description);
  Reflect.defineMetadata(protectionsKey, protections, handler);
  Reflect.defineMetadata(swaggerKeys.security, operation.security, handler);
  Reflect.defineMetadata(swaggerKeys.responses, { ...operation.responses, ...Object.fromEntries(theirs) }, handler);
}

/** The handlers of a controller. */
export function handlersOf(controller: object): readonly object[] {
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(Object(memberOf(controller, 'prototype')));
  return Object.values(members).flatMap(({ value }) => (isHandler(value) ? [value] : []));
}

function isHandler(value: unknown): value is object {
  return typeof value === 'function' && Reflect.hasMetadata('path', value);
}
