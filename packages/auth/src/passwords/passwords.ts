import type { PasswordHashes } from './password-hashes.ts';
import type { PasswordPolicy } from './password-policy.ts';

/** Passwords as accounts use them: good enough when set, proven when shown. */
export class Passwords {
  readonly #hashes: PasswordHashes;
  readonly #policy: PasswordPolicy;

  constructor(hashes: PasswordHashes, policy: PasswordPolicy) {
    this.#hashes = hashes;
    this.#policy = policy;
  }

  /** Hashes a password that is good enough for this user. @throws {AuthError} `password_refused`, `busy` */
  async hashNew(
    password: string,
    user: { readonly username: string; readonly email: string | undefined },
  ): Promise<string> {
    await this.#policy.validate(password, [user.username, user.email]);
    return this.#hashes.hash(password);
  }

  /** Whether the password is the one behind the hash; without a hash it is not. @throws {AuthError} `busy` */
  verify(password: string, hash: string | undefined): Promise<boolean> {
    return this.#hashes.verify(password, hash);
  }
}
