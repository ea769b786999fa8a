/** How many salts are kept at most; each takes some 300 bytes. */
const mostSalts = 32_768;

/**
 * The salts of sessions that were refreshed lately. A salt never changes, so whoever knows it can tell a genuine token
 * without asking the database.
 */
export class RecentSalts {
  #recent = new Map<string, Uint8Array>();
  #older = new Map<string, Uint8Array>();

  get(sessionId: string): Uint8Array | undefined {
    return this.#recent.get(sessionId) ?? this.#older.get(sessionId);
  }

  /** Only for sessions whose token has proven genuine, so that nobody else can push them out. */
  remember(sessionId: string, salt: Uint8Array): void {
    if (this.#recent.size >= mostSalts / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(sessionId, salt);
  }
}
