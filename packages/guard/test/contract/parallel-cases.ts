import { expect, it } from 'vitest';
import { repetitions } from '../../../../test/races/repetitions.ts';
import { anAccessToken } from '../tokens.ts';
import type { ContractApp } from './contract-app.ts';

const users = 200;
/** Ten thousand requests in all in `npm run test:races`. */
const requestsOfEach = repetitions(10, 50);

/** Many callers at the same moment. */
export function describeParallelCallers(app: ContractApp): void {
  it(`B10 keeps ${users} users apart who send ${requestsOfEach} requests each, all at once`, async () => {
    const subjects = Array.from({ length: users }, (_, index) => `caller-${index}-`);
    const answers = await app.with('live', () => Promise.all(subjects.map((subject) => pipelined(app, subject))));
    for (const [index, answer] of answers.entries()) {
      const seen = [...answer.matchAll(/caller-\d+-/g)].map(([subject]) => subject);
      expect(seen).toHaveLength(requestsOfEach);
      expect(new Set(seen)).toEqual(new Set([subjects[index]]));
    }
  });
}

/** One connection on which all requests of a user are sent before the first is answered. */
function pipelined(app: ContractApp, subject: string): Promise<string> {
  const token = anAccessToken({ sub: subject, sid: subject, af: app.log.head });
  const head = `GET /me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n`;
  const all = `${head}\r\n`.repeat(requestsOfEach - 1);
  return app.exchange(`${all}${head}Connection: close\r\n\r\n`);
}
