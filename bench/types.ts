import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../test/source-files.ts';
import { atMost, section, type Target, targetTable } from './report.ts';
import { type Measured, median, shuffled, timeRatio } from './rounds.ts';

const rounds = 15;
const routes = 200;

/** An app in one framework: what stands before its routes, and the n-th route, open and guarded. */
interface Framework {
  readonly name: string;
  readonly module: string;
  readonly head: string;
  /** A middleware that sets what the handlers read of a guard, in the least types that do. */
  readonly byHand: string;
  readonly open: (index: number) => string;
  readonly guarded: (index: number) => string;
}

const frameworks: readonly Framework[] = [
  {
    name: 'Express 5',
    module: 'express',
    head: `import express from 'express';\nconst app = express();`,
    byHand: `declare global { namespace Express { interface Request { auth: { subject: string } } } }
declare const protect: (required: { scope: string }) => express.RequestHandler;`,
    open: (n) =>
      `app.get('/r${n}/:id', ({ params, query }, response) => { response.json({ id: params.id, query }); });`,
    guarded: (n) =>
      `app.get('/r${n}/:id', protect({ scope: 'r${n}:read' }), ({ auth, params, query }, response) => { response.json({ id: params.id, query, by: auth.subject }); });`,
  },
  {
    name: 'Fastify',
    module: 'fastify',
    head: `import Fastify from 'fastify';\nconst app = Fastify();`,
    byHand: `declare module 'fastify' { interface FastifyRequest { auth: { subject: string } } }
declare const protect: (required: { scope: string }) => import('fastify').onRequestHookHandler;`,
    open: (n) => `app.get('/r${n}/:id', ({ params, query }) => ({ params, query }));`,
    guarded: (n) =>
      `app.get('/r${n}/:id', { onRequest: protect({ scope: 'r${n}:read' }) }, ({ auth, params, query }) => ({ params, query, by: auth.subject }));`,
  },
  {
    name: 'Hono',
    module: 'hono',
    head: `import { Hono } from 'hono';\nconst app = new Hono();`,
    byHand: `type Variables = { auth: { subject: string } };
declare const protect: (required: { scope: string }) => import('hono').MiddlewareHandler<{ Variables: Variables }>;`,
    open: (n) => `app.get('/r${n}/:id', (context) => context.json({ id: context.req.param('id') }));`,
    guarded: (n) =>
      `app.get('/r${n}/:id', protect({ scope: 'r${n}:read' }), (context) => context.json({ id: context.req.param('id'), by: context.var.auth.subject }));`,
  },
];

/** How an app is written: without a guard, with a middleware of its own, with ours. */
const forms = ['open', 'by hand', 'guarded'] as const;

type Form = (typeof forms)[number];

/** What the compiler says of an app. */
interface Compiled {
  readonly seconds: number;
  readonly types: number;
}

/** What checking an app of 200 routes takes the compiler, behind our guard and without it. */
export function benchTypes(): Promise<string> {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  // The apps import what the workspace has installed.
  const folder = mkdtempSync(join(root, 'node_modules/.cache/bench-types-'));
  try {
    return Promise.resolve(report(frameworks.map((framework) => compare(folder, framework))));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Comparison {
  readonly rows: readonly string[];
  readonly target: Target;
}

function compare(folder: string, framework: Framework): Comparison {
  const projects = forms.map((form) => ({
    form,
    project: writeApp(folder, framework, form),
    results: [] as Compiled[],
  }));
  for (const { project } of projects) compile(project);
  for (let round = 0; round < rounds; round += 1) {
    for (const { project, results } of shuffled(projects)) results.push(compile(project));
  }
  const [open, byHand, guarded] = projects.map(({ form, results }) => timesOf(form, results));
  if (open === undefined || byHand === undefined || guarded === undefined) throw new Error('Nothing was measured');
  // Which of the two without our guard is the dearer one depends on the framework.
  const base = timeRatio(byHand, open).median > 1 ? byHand : open;
  const rows = projects.map(({ form, results }) => {
    const { min, median: middle, max } = timeRatio(timesOf(form, results), base);
    const spread = [min, middle, max].map((value) => value.toFixed(2)).join(' | ');
    const seconds = median(results.map((result) => result.seconds)).toFixed(3);
    return `| ${framework.name} | ${form} | ${seconds} | ${String(results[0]?.types)} | ${spread} |`;
  });
  const what = `${framework.name}, ${String(routes)} routes, tsc: guarded / ${base.name}`;
  return { rows, target: atMost(what, timeRatio(guarded, base).median, 1.1, ' ×') };
}

function timesOf(name: Form, results: readonly Compiled[]): Measured {
  return { name, speeds: results.map(({ seconds }) => 1 / seconds) };
}

function report(comparisons: readonly Comparison[]): string {
  const note = `An app of ${String(routes)} routes in one file, each with a scope of its own and its caller's subject in the answer: without a guard,
with a middleware whose types somebody wrote by hand in two lines, and with our guard, which is held against the dearer
of the two. \`tsc --noEmit --singleThreaded\` on the libraries' declarations as they are installed, ours
included: the time the compiler states, and the types it makes.`;
  const head = ['| framework | routes | s | types | time: min | median | max |', '|---|---|--:|--:|--:|--:|--:|'];
  return [
    `Medians of ${String(rounds)} rounds, in each of which the apps take turns.`,
    targetTable(comparisons.map(({ target }) => target)),
    section('Compiling guarded routes', note, [...head, ...comparisons.flatMap(({ rows }) => rows)]),
  ].join('\n\n');
}

/** Writes an app and its project file; returns the latter. */
function writeApp(folder: string, framework: Framework, form: Form): string {
  const { module, head, byHand } = framework;
  const name = `${module}-${form.replace(' ', '-')}`;
  const guard = `import { createGuard } from '@sallyport/guard';
import { ${module}Guard } from '@sallyport/guard/${module}';
const protect = ${module}Guard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));`;
  const before = { open: '', 'by hand': byHand, guarded: guard };
  const route = form === 'open' ? framework.open : framework.guarded;
  const lines = Array.from({ length: routes }, (_, index) => route(index));
  writeFileSync(join(folder, `${name}.ts`), [head, before[form], ...lines].join('\n'));
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const project = join(folder, `${name}.json`);
  writeFileSync(project, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
  return project;
}

function compile(project: string): Compiled {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', project, '--extendedDiagnostics', '--singleThreaded'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The app does not compile:\n${stdout.slice(0, 2000)}`);
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(stdout)?.[1]);
  return { seconds: figure('Total time'), types: figure('Types') };
}
