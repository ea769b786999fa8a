/** What a browser makes of `Set-Cookie` lines, as far as these tests need it. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  /** Keeps and drops what an answer says. */
  take(headers: Headers): readonly string[] {
    const lines = headers.getSetCookie();
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split('; ');
      const name = pair.slice(0, pair.indexOf('='));
      if (attributes.includes('Max-Age=0')) this.#cookies.delete(name);
      else this.#cookies.set(name, pair.slice(name.length + 1));
    }
    return lines;
  }

  /** Forgets a cookie, as a browser does when its time is up. */
  drop(name: string): void {
    this.#cookies.delete(name);
  }

  get(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  get names(): readonly string[] {
    return [...this.#cookies.keys()];
  }

  get values(): readonly string[] {
    return [...this.#cookies.values()];
  }

  /** The `Cookie` header of the next request. */
  get line(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
