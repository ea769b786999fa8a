/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How a body is sent: what `curl -d` does, or JSON. */
export type BodyStyle = 'form' | 'json';

/** What `POST /token` answers. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly token_type: string;
  readonly scope: string;
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Answer['body'];
  return { status: response.status, headers: response.headers, body };
}

/** Sends a GET, with a bearer token where one is given. */
export async function get(url: string, token?: string): Promise<Answer> {
  return read(await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }));
}

/** Sends a POST. */
export async function post(
  url: string,
  body: Readonly<Record<string, string>>,
  { style = 'form', token }: { readonly style?: BodyStyle; readonly token?: string } = {},
): Promise<Answer> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request =
    style === 'form'
      ? { body: new URLSearchParams(body), headers: authorization }
      : { body: JSON.stringify(body), headers: { ...authorization, 'content-type': 'application/json' } };
  return read(await fetch(url, { method: 'POST', ...request }));
}

/** Sends a PUT with JSON. */
export async function put(url: string, body: object, token: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return read(await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) }));
}

/** The answer to a call; undefined when the connection ended before it came. */
export async function unlessLost(call: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The tokens in an answer; throws what the server said when it holds none. */
export function tokensIn({ status, body }: Answer): Tokens {
  if (status !== 200) throw new Error(`no tokens: ${String(status)} ${JSON.stringify(body)}`);
  return body as unknown as Tokens;
}

export const password = 'plum-otter-violin-91';

/** Makes an account and signs in. */
export async function signUp(server: string, username: string): Promise<Tokens> {
  const registered = await post(`${server}/register`, { username, password });
  if (registered.status !== 201) throw new Error(`not registered: ${JSON.stringify(registered.body)}`);
  return signIn(server, username);
}

/** Signs in with the password that {@link signUp} chose. */
export async function signIn(server: string, username: string): Promise<Tokens> {
  return tokensIn(await post(`${server}/token`, { username, password }));
}
