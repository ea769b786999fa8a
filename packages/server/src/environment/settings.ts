import type { Algorithm } from '@sallyport/jwt';
import { urlHost, type Network } from './addresses.ts';
import type { Database } from './database.ts';

/** Everything the environment decides, validated. Lifetimes are seconds. */
export interface Settings {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /** Undefined means `http://HOST:PORT`: see {@link issuerOf}. */
  readonly issuer: string | undefined;
  /** Undefined means the issuer. */
  readonly audience: readonly string[] | undefined;
  readonly database: Database;
  /** Undefined means: the key file beside the database, or a random one for a database in memory. */
  readonly secretKey: string | undefined;
  /** Accepted, and never used to make anything. */
  readonly previousSecretKey: string | undefined;
  readonly algorithm: Algorithm;
  readonly signingKeyRotation: number;
  readonly accessTokenLifetime: number;
  readonly refreshTokenIdleLifetime: number;
  readonly sessionLifetime: number;
  readonly refreshPolicy: RefreshPolicy;
  readonly registration: Registration;
  readonly passwordMinLength: number;
  /** Made at start when no user exists yet. */
  readonly firstAdministrator: { readonly username: string; readonly password: string } | undefined;
  readonly trustedProxies: readonly Network[];
  readonly corsOrigins: readonly string[];
  readonly logLevel: LogLevel;
  /** Undefined means `pretty` on a terminal, else `json`. */
  readonly logFormat: LogFormat | undefined;
}

export type RefreshPolicy = 'resilient' | 'strict';
export type Registration = 'open' | 'closed';
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
export type LogFormat = 'json' | 'pretty';

/** The issuer these settings mean once the port is known. */
export function issuerOf(settings: Settings, port: number = settings.port): string {
  return settings.issuer ?? `http://${urlHost(settings.host)}:${port}`;
}
