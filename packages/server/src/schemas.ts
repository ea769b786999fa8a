import * as z from 'zod';
import type { OAuthError, Problem } from './responses.ts';

/** A user as the API shows it. */
export interface UserBody {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly created_at: string;
}

/** A session as the API shows it. */
export interface SessionBody {
  readonly id: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  readonly user_agent: string | null;
  readonly address: string | null;
  readonly current: boolean;
}

/** A role as the API shows it. */
export interface RoleBody {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly built_in: boolean;
}

/** A signing key as the API shows it: never the key itself. */
export interface SigningKeyBody {
  readonly id: string;
  readonly algorithm: string;
  readonly stage: 'next' | 'current' | 'retired' | 'compromised';
  readonly created_at: string;
  readonly activates_at: string;
}

/** A successful token response (RFC 6749, section 5.1). */
export interface TokenBody {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly scope: string;
}

/** A feed credential as it is shown: never the credential itself. */
export interface FeedCredentialBody {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
}

/** What became of a wait for the guards. */
export interface ConfirmationBody {
  readonly acknowledged: number;
  readonly lapsed: number;
  readonly pending: number;
  readonly milliseconds: number;
}

/** A list without pages. */
export interface ListBody<Item> {
  readonly items: readonly Item[];
}

/** One page of a list. `next_cursor` is null at the end. */
export interface PageBody<Item> extends ListBody<Item> {
  readonly next_cursor: string | null;
}

const MAX_TEXT_LENGTH = 1024;
const MAX_LIST_LENGTH = 200;

/** Text without control characters; the engine knows the finer rules. */
export const text: z.ZodType<string> = z
  .string()
  .min(1)
  .max(MAX_TEXT_LENGTH)
  // oxlint-disable-next-line no-control-regex -- control characters are what this refuses
  .refine((value) => !/[\u0000-\u001F\u007F]/.test(value));

/** A password: any characters. How good it must be is the engine's rule. */
export const password: z.ZodType<string> = z
  .string()
  .min(1)
  .max(MAX_TEXT_LENGTH)
  .meta({ format: 'password', examples: ['correct horse battery staple'] });

/** A user name, as it is given. */
export const username: z.ZodType<string> = text.meta({ examples: ['alice'] });

/** An e-mail address, as it is given. */
export const email: z.ZodType<string> = text.meta({ format: 'email', examples: ['alice@example.com'] });

/** A token, as it is presented: whatever it is, it is looked at by whoever can tell. */
export const presentedToken: z.ZodType<string> = z.string().min(1);

type OptionalText = z.ZodOptional<z.ZodType<string>>;

const clientCredential: OptionalText = z
  .string()
  .meta({ description: 'Accepted and ignored: this server has no client registry.', examples: [''] })
  .optional();

interface ClientFields {
  readonly client_id: OptionalText;
  readonly client_secret: OptionalText;
}

/** What OAuth clients send with every request to a token endpoint. Changes nothing here. */
export const clientFields: ClientFields = { client_id: clientCredential, client_secret: clientCredential };

/** What is sent to ask something about a token (RFC 7009, section 2.1; RFC 7662, section 2.1). */
export const tokenFields: ClientFields & { readonly token: z.ZodType<string>; readonly token_type_hint: OptionalText } =
  {
    token: presentedToken.meta({ description: 'An access token or a refresh token.' }),
    token_type_hint: z
      .string()
      .meta({ description: 'Accepted and ignored: either kind is recognised.', examples: [''] })
      .optional(),
    ...clientFields,
  };

/** Scopes separated by spaces. */
export const scope: z.ZodType<string> = z.string().meta({
  description: 'Space-separated scopes. May only ask for less than the user may do. Default: all of it.',
  examples: [''],
});

/** The name of a role in a path. */
export const roleName: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: 'must be 1 to 64 letters, digits, dots, dashes or underscores, and start with a letter or digit',
  })
  .meta({ examples: ['editor'] });

/** Names of roles or scopes. */
export const names: z.ZodType<string[]> = z.array(text).max(MAX_LIST_LENGTH);

const moment = z.string().meta({ format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] });
const userId = z.string().meta({
  description: 'A random UUID, or the id by which an application keeps the user.',
  examples: ['3f0e4c0e-6a55-4a55-9d3c-0b7f6f2f9a51'],
});

/** {@link UserBody} */
export const user: z.ZodType<UserBody> = z
  .strictObject({
    id: userId,
    username: z.string().meta({ examples: ['alice'] }),
    email: z
      .string()
      .nullable()
      .meta({ examples: ['alice@example.com'] }),
    roles: z.array(z.string()).meta({ examples: [['user']] }),
    disabled: z.boolean().meta({ examples: [false] }),
    created_at: moment,
  })
  .meta({ id: 'User' });

/** {@link SessionBody} */
const session: z.ZodType<SessionBody> = z
  .strictObject({
    id: z.string().meta({ examples: ['q1Zr8xk0T2c'] }),
    created_at: moment,
    last_used_at: moment,
    expires_at: moment,
    user_agent: z.string().nullable(),
    address: z
      .string()
      .nullable()
      .meta({ examples: ['203.0.113.7'] }),
    current: z.boolean().meta({ description: 'Whether this request was made in it.' }),
  })
  .meta({ id: 'Session' });

/** All sessions of a user: there are few enough for one page. */
export const sessionPage: z.ZodType<PageBody<SessionBody>> = pageOf('Sessions', session);

/** {@link RoleBody} */
export const role: z.ZodType<RoleBody> = z
  .strictObject({
    name: z.string().meta({ examples: ['editor'] }),
    scopes: z.array(z.string()).meta({ examples: [['todos:read', 'todos:write']] }),
    built_in: z.boolean().meta({ examples: [false] }),
  })
  .meta({ id: 'Role' });

/** {@link SigningKeyBody} */
export const signingKey: z.ZodType<SigningKeyBody> = z
  .strictObject({
    id: z.string().meta({ examples: ['a8Kq0f3T'] }),
    algorithm: z.string().meta({ examples: ['ES256'] }),
    stage: z.enum(['next', 'current', 'retired', 'compromised']),
    created_at: moment,
    activates_at: moment,
  })
  .meta({ id: 'SigningKey' });

/** {@link TokenBody} */
export const tokenResponse: z.ZodType<TokenBody> = z
  .strictObject({
    access_token: z.string().meta({ description: 'A JWT (RFC 9068).' }),
    token_type: z.literal('Bearer'),
    expires_in: z
      .number()
      .int()
      .meta({ description: 'Seconds until the access token expires.', examples: [900] }),
    refresh_token: z.string().meta({ description: 'Opaque. Each use gives a new one.' }),
    scope: z.string().meta({ examples: ['users:read users:write'] }),
  })
  .meta({ id: 'TokenResponse' });

/** {@link ConfirmationBody} */
export const confirmation: z.ZodType<ConfirmationBody> = z
  .strictObject({
    acknowledged: z.int().meta({ description: 'How many guards on the feed know.', examples: [3] }),
    lapsed: z.int().meta({ description: 'How many did not answer, and grant no more.', examples: [0] }),
    pending: z
      .int()
      .meta({ description: 'How many did not answer within 45 seconds, and may still grant.', examples: [0] }),
    milliseconds: z.int().meta({ description: 'How long it took altogether.', examples: [12] }),
  })
  .meta({ id: 'Confirmation' });

/** What is sent to wait for the guards. */
export const confirm: z.ZodType<boolean> = z
  .preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean())
  .meta({ description: 'Answer when every guard on the feed knows, or grants no more. Default: `false`.' });

/** The query of operations that can wait for the guards. */
export const confirmQuery: z.ZodObject<{ readonly confirm: z.ZodOptional<typeof confirm> }> = z.strictObject({
  confirm: confirm.optional(),
});

/** How many sessions ended, and what became of the wait for guards if somebody waited. */
export interface RevokedBody {
  readonly revoked: number;
  readonly confirmation?: ConfirmationBody | undefined;
}

/** The answer to ending many sessions at once. */
export const revoked: z.ZodType<RevokedBody> = z
  .strictObject({
    revoked: z
      .number()
      .int()
      .meta({ description: 'How many live sessions ended.', examples: [2] }),
    confirmation: confirmation.optional(),
  })
  .meta({ id: 'Revoked' });

/** The error body outside the token endpoints. */
export const problem: z.ZodType<Problem> = z
  .strictObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable: branch on it.' }),
    errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
    request_id: z.string().optional().meta({ description: 'Where to look in the server log.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

/** The error body of the token endpoints. */
export const oauthError: z.ZodType<OAuthError> = z
  .strictObject({ error: z.string(), error_description: z.string().optional() })
  .meta({ id: 'OAuthError', description: 'RFC 6749, section 5.2.' });

/** A list of these, as the schema called `id`. */
export function listOf<Item>(id: string, item: z.ZodType<Item>): z.ZodType<ListBody<Item>> {
  return z.strictObject({ items: z.array(item) }).meta({ id });
}

/** A page of these, as the schema called `id`. */
export function pageOf<Item>(id: string, item: z.ZodType<Item>): z.ZodType<PageBody<Item>> {
  return z
    .strictObject({
      items: z.array(item),
      next_cursor: z
        .string()
        .nullable()
        .meta({ description: 'Send it as `cursor` for the next page; null at the end.' }),
    })
    .meta({ id });
}
