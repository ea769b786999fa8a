import { afterAll, beforeAll, describe } from 'vitest';
import { ContractApp, type StartApp } from './contract/contract-app.ts';
import { describeBodyCredentials, describeCookies, describeCredentials } from './contract/credential-cases.ts';
import { describeParallelCallers } from './contract/parallel-cases.ts';
import { describeMethods, describePaths } from './contract/path-cases.ts';
import { describeDemands, describeRequirements } from './contract/requirement-cases.ts';
import { describeStrangers, describeTokens } from './contract/token-cases.ts';

/** What not every way of putting up a guard can show. */
export interface ContractOptions {
  /** Whether the app parses forms and JSON before its guard. Default: `false`. */
  readonly readsBodies?: boolean;
  /** Whether its routes are handshakes: then what is about plain HTTP does not concern it. Default: `false`. */
  readonly upgrades?: boolean;
  /** Whether to send it thousands of requests at once; once for each framework is enough. Default: `false`. */
  readonly inParallel?: boolean;
}

/** Runs every guard rule against one framework. An adapter passes all of it or is not an adapter. */
export function describeGuard(
  framework: string,
  start: StartApp,
  { readsBodies = false, upgrades = false, inParallel = false }: ContractOptions = {},
): void {
  describe(`${framework} guard`, () => {
    const app = new ContractApp();
    beforeAll(() => app.start(start));
    afterAll(() => app.close());

    describeTokens(app);
    describeCredentials(app);
    if (readsBodies) describeBodyCredentials(app);
    describeRequirements(app);
    describePaths(app);
    if (!upgrades) {
      describeCookies(app);
      describeMethods(app);
      describeDemands(app);
      describeStrangers(app);
    }
    if (inParallel) describeParallelCallers(app);
  });
}
