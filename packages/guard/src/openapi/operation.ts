import type { AnyTerms, Demand, Requirement } from '../access.ts';
import { type GuardDescription, descriptionOf } from './guard-description.ts';
import type { Protection } from './protections.ts';
import { schemeNamesOf, signInScheme } from './security-schemes.ts';

/** A response of OpenAPI. */
export interface OpenApiResponse {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}

/** What the guards of a route add to its operation in OpenAPI. */
export interface OpenApiOperation {
  /** The ways to call it: one of them is enough, and an empty one needs nothing. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  /** The answers of the guards, by status. */
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

type AnyDemand = Demand<AnyTerms, never>;

/** What a route with these guards says of itself; all of them must be met. `undefined`: there is none to speak of. */
export function operationOf(protections: readonly Protection[]): OpenApiOperation | undefined {
  const guard = protections.map((each) => descriptionOf(each.guard)).find((description) => description !== undefined);
  if (guard === undefined) return undefined;
  const requirements = protections.map(({ requirement }) => requirement);
  const isOptional = requirements.every(({ optional }) => optional === true);
  return {
    security: [...(isOptional ? [{}] : []), ...securityOf(guard, requirements)],
    responses: responsesOf(requirements),
  };
}

function securityOf(guard: GuardDescription, requirements: readonly AnyDemand[]): OpenApiOperation['security'] {
  const demands = requirements.flatMap(conjunction);
  const scopes = [...new Set(demands.flatMap(({ scope }) => listOf(scope)))];
  const choices = demands.flatMap(({ anyScope }) => (anyScope === undefined ? [] : [listOf(anyScope)]));
  const alternatives = choices.reduce<readonly (readonly string[])[]>(
    (sets, choice) => sets.flatMap((set) => choice.map((scope) => [...set, scope])),
    [scopes],
  );
  return schemeNamesOf(guard).flatMap((name): OpenApiOperation['security'] =>
    // Only OAuth 2.0 lists scopes in every version of OpenAPI.
    name === signInScheme ? alternatives.map((set) => ({ [name]: [...new Set(set)] })) : [{ [name]: [] }],
  );
}

/** A demand and all that must hold with it. */
function conjunction(demand: AnyDemand): readonly AnyDemand[] {
  return [demand, ...(demand.allOf ?? []).flatMap(conjunction)];
}

function responsesOf(requirements: readonly Requirement<AnyTerms, never>[]): OpenApiOperation['responses'] {
  const asked = requirements.map(inWords).filter((words) => words !== '');
  const refused =
    asked.length === 0 ? {} : { 403: problem(`What the caller may do is not enough: ${asked.join('; ')}`) };
  return {
    400: problem('The credentials are malformed, or there is more than one'),
    401: problem('There is no access token, or it is not good'),
    ...refused,
    503: problem('Access cannot be checked at the moment'),
  };
}

/** A demand for people. */
function inWords(demand: AnyDemand): string {
  const { scope, anyScope, role, tokenKind, audience, maxAge, policy, anyOf, allOf } = demand;
  const parts = [
    scope && `scope ${listOf(scope).join(' and ')}`,
    anyScope && `scope ${listOf(anyScope).join(' or ')}`,
    role && `role ${listOf(role).join(' or ')}`,
    tokenKind && `a token of a ${tokenKind}`,
    audience && `a token for ${listOf(audience).join(' or ')}`,
    maxAge !== undefined && `a sign-in within ${String(maxAge)} seconds`,
    policy && 'the rules of this route',
    anyOf && `one of (${anyOf.map(inWords).join(' | ')})`,
    allOf && allOf.map(inWords).join(', '),
  ];
  return parts.filter((part) => typeof part === 'string' && part !== '').join(', ');
}

function listOf(names: string | readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : [names].flat();
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable: branch on it' },
    max_age: { type: 'number', description: 'How old a sign-in may be, in seconds' },
  },
} as const;

function problem(description: string): OpenApiResponse {
  return { description, content: { 'application/problem+json': { schema: problemSchema } } };
}
