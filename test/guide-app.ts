import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePort, type RunningProgram, startProgram, untilAnswers } from './child-process.ts';
import { codeBlocks } from './docs-examples.ts';
import { root } from './source-files.ts';

const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');

/** The application that a guide tells its readers to write, as a process. */
export interface GuideApp {
  readonly url: string;
  readonly program: RunningProgram;
  /** Ends the process and removes what was written. */
  remove(): Promise<void>;
}

/** The first block of a guide in a language. */
function blockOf(guide: string, language: string): string {
  const block = codeBlocks(`docs/guides/${guide}.md`).find((each) => each.language === language);
  if (block === undefined) throw new Error(`${guide} has no block in ${language}`);
  return block.text;
}

/**
 * Writes the blocks of a guide to files as it says, starts `app.ts` and waits until it answers.
 *
 * @param files file name → the language of its block
 */
export async function startGuideApp(guide: string, files: Readonly<Record<string, string>>): Promise<GuideApp> {
  // Inside the repository, so that the packages are found; dist/ is never committed.
  mkdirSync(join(root, 'dist'), { recursive: true });
  const folder = mkdtempSync(join(root, `dist/guide-${guide}-`));
  for (const [name, language] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), blockOf(guide, language));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const env = { ORIGIN: url, SECRET_KEY: randomBytes(48).toString('base64url') };
  const program = startProgram([tsx, 'app.ts'], { cwd: folder, env });
  const remove = async (): Promise<void> => {
    if (program.child.exitCode === null) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  await untilAnswers(`${url}/`, program).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return { url, program, remove };
}
