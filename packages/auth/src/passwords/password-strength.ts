import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import * as common from '@zxcvbn-ts/language-common';
import * as english from '@zxcvbn-ts/language-en';

/** How many l33t spellings of one password are tried; more of them cost seconds and find nothing else. */
const mostSpellings = 8;

const estimator = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
  translations: english.translations,
  l33tMaxSubstitutions: mostSpellings,
});

/** How hard a password is to guess. */
export interface PasswordStrength {
  /** From 0, found at once, to 4. */
  readonly score: number;
  readonly warning: string | null;
}

/** Looks for the patterns and words that people use; `words` are this installation's own. */
export function estimateStrength(password: string, words: string[]): PasswordStrength {
  const { score, feedback } = estimator.check(password, words);
  return { score, warning: feedback.warning };
}
