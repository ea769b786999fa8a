/** What a sign-in or a refresh gives. */
export interface TokenPair {
  readonly accessToken: string;
  /** Opaque to clients. Used once in turn it is replaced by its successor. */
  readonly refreshToken: string;
  /** Life of the access token in whole seconds. */
  readonly expiresIn: number;
  /** Life of the refresh token in whole seconds, unless it is used before. */
  readonly refreshExpiresIn: number;
  /** What the access token grants now, separated by spaces. */
  readonly scope: string;
  readonly sessionId: string;
  readonly userId: string;
}
