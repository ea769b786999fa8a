import type { Command, CommandContext } from '../command.ts';
import { packageVersion } from '../../version.ts';

export const serveCommand: Command = {
  name: 'serve',
  parameters: [],
  summary: 'run the server until Ctrl+C',
  options: [],
  examples: ['serve', 'serve --json   # start-up lines and logs as JSON'],
  run: serve,
};

async function serve(_input: unknown, { settings, terminal, json }: CommandContext): Promise<undefined> {
  const chosen = await settings();
  const { createLog } = await import('../../logging.ts');
  const { startServer } = await import('../../node.ts');
  const { stopSignal } = await import('../../node/stop-signal.ts');
  const { renderGreeting } = await import('../../node/greeting.ts');

  const format = json ? 'json' : (chosen.logFormat ?? (terminal.isInteractive ? 'pretty' : 'json'));
  const log = await createLog({ level: chosen.logLevel, format });
  // A promise nobody awaited must not take everybody else's server down.
  process.on('unhandledRejection', (reason) => log.failure(reason));
  const stopping = stopSignal();
  const server = await startServer(chosen, log);
  if (format === 'json') log.announce('listening', { ...server.greeting });
  else terminal.print(renderGreeting(server.greeting, packageVersion(), terminal.hasColors));
  for (const warning of server.warnings) log.warn(warning);

  const signal = await stopping;
  log.note('stopping: running requests may finish', { signal });
  await server.stop();
  log.note('stopped');
}
