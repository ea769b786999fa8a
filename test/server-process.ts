import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Finished,
  freePort,
  runProgram,
  type RunningProgram,
  startProgram,
  untilAnswers,
} from './child-process.ts';
import { root } from './source-files.ts';

const builtMain = join(root, 'packages/server/dist/cli/main.js');

/** The built server as its own process, in its own folder, on its own port. */
export interface ServerProcess {
  readonly url: string;
  readonly folder: string;
  readonly program: RunningProgram;
  /** Runs the command line beside the running server, in the same folder. */
  sallyport(args: readonly string[], input?: string): Promise<Finished>;
  /** The same, with `--json`, parsed; throws when the command refuses. */
  sallyportJson(args: readonly string[], input?: string): Promise<unknown>;
  /** Starts the server again in its folder, after `program.stop`. */
  restart(): Promise<ServerProcess>;
  /** Ends the process and removes the folder. */
  remove(): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

/** A folder of its own under the system's temporary one. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'sallyport-e2e-'));

/** Runs the built command line in a folder. */
export function runSallyport(
  args: readonly string[],
  folder: string,
  env: Environment = {},
  input = '',
): Promise<Finished> {
  return runProgram([builtMain, ...args], { cwd: folder, env, input });
}

/** Starts the built server, or another one, and waits until it is ready. */
export async function startServer(
  env: Environment = {},
  folder: string = temporaryFolder(),
  main: string = builtMain,
): Promise<ServerProcess> {
  const port = env['PORT'] ?? String(await freePort());
  const settings: Environment = { LOG_LEVEL: 'warn', ...env, PORT: port };
  const program = startProgram([main, 'serve'], { cwd: folder, env: settings });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/readyz`, program);
  const sallyport = (args: readonly string[], input = ''): Promise<Finished> =>
    runSallyport(args, folder, settings, input);
  return {
    url,
    folder,
    program,
    sallyport,
    async sallyportJson(args, input = '') {
      const { status, stdout, stderr } = await sallyport([...args, '--json'], input);
      if (status !== 0) throw new Error(`sallyport ${args.join(' ')}: exit ${String(status)}\n${stderr}`);
      return JSON.parse(stdout) as unknown;
    },
    restart: () => startServer(settings, folder, main),
    async remove() {
      if (program.child.exitCode === null && program.child.signalCode === null) await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
