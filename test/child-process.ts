import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './source-files.ts';

/** A program under test and everything it has said so far. */
export interface RunningProgram {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Sends a signal and waits for the end; answers the exit code, or null when the signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program inherits: no setting of ours that happens to be set on this machine. */
function cleanEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env;
  return { PATH, HOME, TMPDIR, SystemRoot, NO_COLOR: '1', ...env };
}

/** Starts a Node program of this repository. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): RunningProgram {
  return start(process.execPath, args, options);
}

function start(command: string, args: readonly string[], { cwd = root, env = {} }: ProgramOptions): RunningProgram {
  const child = spawn(command, args, { cwd, env: cleanEnvironment(env), stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close');
  return {
    child,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

/** What a finished program said. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a Node program of this repository to its end, with `input` on stdin. */
export async function runProgram(
  args: readonly string[],
  { input = '', ...options }: ProgramOptions & { readonly input?: string } = {},
): Promise<Finished> {
  return finish(startProgram(args, options).child, input);
}

/** Runs a shell script as a reader of the documents would. */
export function runShell(script: string, options: ProgramOptions = {}): Promise<Finished> {
  return finish(start('bash', ['-c', script], options).child, '');
}

async function finish(child: ChildProcess, input: string): Promise<Finished> {
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  child.stdin?.end(input);
  await once(child, 'close');
  return { status: child.exitCode, ...said };
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until a URL answers 200, or throws what the program said when it ended instead. */
export async function untilAnswers(url: string, program: RunningProgram): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (program.child.exitCode !== null) throw new Error(`ended before it answered:\n${program.output()}`);
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await delay(25);
  }
  throw new Error(`no answer from ${url}:\n${program.output()}`);
}
