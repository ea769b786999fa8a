import { createGuard } from '@sallyport/guard';
import { nestGuard } from '@sallyport/guard/nestjs';

const { ISSUER = 'http://127.0.0.1:8000', AUDIENCE = ISSUER, FEED_CREDENTIAL = '' } = process.env;

// With the feed the guard learns of revocations and changed roles at once, without it when a token expires.
const feed = FEED_CREDENTIAL === '' ? {} : { feed: { credential: FEED_CREDENTIAL } };

/** Whom this API trusts. It knows no passwords and no database of users. */
export const issuer = ISSUER;
export const guard = createGuard({ issuer, audience: AUDIENCE.split(','), ...feed });
export const { Protect, Public, Auth, everything } = nestGuard(guard);
