import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type CallersOnly, createGuard, type AnyTerms } from '@sallyport/guard';
import { guardEventStream } from '@sallyport/guard/event-stream';
import { nodeGuard } from '@sallyport/guard/node';
import { createTestIssuer, type TestIssuer, type TokenWishes } from '@sallyport/guard/testing';
import { listenWith } from './listening.ts';
import { until } from './until.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A stream of ticks, and the server's side of it. */
async function aStream(issuer: TestIssuer, wishes: TokenWishes, requirement: CallersOnly<AnyTerms, IncomingMessage>) {
  const guard = createGuard(issuer.guardOptions);
  const responses: ServerResponse[] = [];
  const protect = nodeGuard(guard);
  const listener = protect(requirement, ({ auth }, response) => {
    responses.push(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    guardEventStream(guard, response, auth, requirement);
    const timer = setInterval(() => response.write('data: tick\n\n'), 5);
    response.on('close', () => {
      clearInterval(timer);
    });
  });
  const { port, close } = await listenWith(createServer((request, response) => void listener(request, response)));
  ends.push(close);
  const request = get({ port, host: '127.0.0.1', headers: { ...issuer.headersFor(wishes) } });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { answer, responses };
}

/** Reads a stream to its end. */
async function read(answer: IncomingMessage): Promise<string[]> {
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return text.split('\n\n').filter((event) => event !== '');
}

describe('a stream of events', () => {
  it.each<[string, (issuer: TestIssuer) => void, object]>([
    ['its token expires', (issuer) => issuer.clock.forward(900), { status: 401, code: 'token_expired' }],
    ['its session is revoked', (issuer) => issuer.endSession('laptop'), { status: 401, code: 'token_revoked' }],
    ['its right is lost', (issuer) => issuer.setRoles('ada', ['guest']), { status: 403, code: 'insufficient_role' }],
    ['nothing can be known', (issuer) => issuer.goDown(), { status: 503, code: 'temporarily_unavailable' }],
  ])('ends, and says so, when %s', async (_, happen, refusal) => {
    const issuer = await createTestIssuer();
    const wishes = { subject: 'ada', roles: ['editor'], sessionId: 'laptop' };
    const { answer } = await aStream(issuer, wishes, { role: 'editor' });
    await once(answer, 'readable');
    happen(issuer);
    const events = await read(answer);
    expect(events.length).toBeGreaterThan(1);
    const [name, data] = (events.at(-1) ?? '').split('\ndata: ');
    expect(name).toBe('event: access-lost');
    expect(JSON.parse(data ?? '')).toMatchObject(refusal);
  });

  it('is cut off when the client does not read the end', async () => {
    const issuer = await createTestIssuer();
    const { answer, responses } = await aStream(issuer, { sessionId: 'laptop' }, {});
    answer.pause();
    issuer.endSession('laptop');
    await until('the server has had enough', () => responses[0]?.destroyed);
    expect(responses[0]?.writableEnded).toBe(true);
  });

  it('is no concern of the guard after the client has gone', async () => {
    const issuer = await createTestIssuer();
    const { answer, responses } = await aStream(issuer, { sessionId: 'laptop' }, {});
    answer.destroy();
    await until('the server has noticed', () => responses[0]?.destroyed);
    issuer.endSession('laptop');
    await until('nothing was written', () => !responses[0]?.writableEnded);
  });
});
