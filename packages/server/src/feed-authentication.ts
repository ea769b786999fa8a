import { type Auth, AuthError, type FeedCredential } from '@sallyport/auth';
import { HttpError } from './http-error.ts';

/** How a request shows its credential. A feed credential has no other characters. */
const BEARER = /^bearer ([\w-]+)$/i;

/** Tells whose feed credential a request carries, or throws what is answered instead. */
export interface FeedAuthentication {
  /** Asks the database: a credential that was revoked is refused at once. */
  readonly authenticate: (request: Request) => Promise<FeedCredential>;
  /** Asks it about unknown credentials alone: for what comes every second, and is worth little without a stream. */
  readonly recognise: (request: Request) => Promise<FeedCredential>;
}

/** Lets in whoever shows a feed credential. */
export function createFeedAuthentication({ feed: { credentials } }: Auth): FeedAuthentication {
  const authenticate = async (text: string): Promise<FeedCredential> => {
    const credential = await credentials.authenticate(text);
    if (credential === undefined) throw new AuthError('feed_credential_invalid', 'unknown or revoked', {});
    return credential;
  };
  return {
    authenticate: async (request) => authenticate(readCredential(request)),
    recognise: async (request) => {
      const text = readCredential(request);
      return credentials.recognise(text) ?? authenticate(text);
    },
  };
}

/** Whether a request shows something that has the form of a feed credential, whoever made it. */
export function carriesFeedCredential(request: Request): boolean {
  return /^bearer spfeed_/i.test(request.headers.get('authorization') ?? '');
}

function readCredential(request: Request): string {
  const line = request.headers.get('authorization');
  if (line === null) throw new HttpError('feed_credential_missing', {});
  const [, text] = BEARER.exec(line) ?? [];
  if (text === undefined) throw new AuthError('feed_credential_invalid', 'not a bearer credential', {});
  return text;
}
