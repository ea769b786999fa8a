export { createTestIssuer, type TestIssuer, type TestIssuerOptions } from './testing/test-issuer.ts';
export type { TestClock } from './testing/test-clock.ts';
export type { TokenWishes } from './testing/token-wishes.ts';
