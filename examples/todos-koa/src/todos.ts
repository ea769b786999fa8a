/** Everybody's list, by subject. A real app keeps them in its database. */
export class TodoLists {
  readonly #lists = new Map<string, string[]>();

  /** The list of one user; a new user starts with two things to do. */
  of(subject: string): string[] {
    const list = this.#lists.get(subject) ?? ['Buy milk', 'Write tests'];
    this.#lists.set(subject, list);
    return list;
  }
}

/** The title in a request body, or undefined when there is none worth keeping. */
export function titleIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('title' in body)) return undefined;
  return typeof body.title === 'string' && body.title.trim() !== '' ? body.title.trim() : undefined;
}
