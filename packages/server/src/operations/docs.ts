import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { HttpError } from '../http-error.ts';
import { type Operation, defineOperation } from '../operation.ts';

// Both this file's source and its compiled form lie two folders below the package, beside which the build puts the assets.
const FOLDER = new URL('../../dist/docs/', import.meta.url);

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** The files of the page. A name that is not here is never looked for on the disk. */
const assets = {
  'page.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
  // Without a charset browsers guess one and stop at the bundle's first emoji.
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const satisfies Record<string, string>;

type Asset = keyof typeof assets;

/** `GET /` */
export const readRoot: Operation = defineOperation({
  id: 'readRoot',
  tag: 'Discovery',
  summary: 'Go to the interactive documentation',
  success: { status: 302, description: 'To `docs`' },
  // Below a base path the browser may have asked for `/auth` or `/auth/`: only the host framework knows.
  handle: async ({ basePath }) => redirect(basePath === undefined ? 'docs' : `${basePath}/docs`),
});

/** `GET /openapi.json` */
export const readApiDocument: Operation = defineOperation({
  id: 'readApiDocument',
  tag: 'Discovery',
  summary: 'This API, described as OpenAPI 3.1',
  success: {
    status: 200,
    description: 'The document',
    schema: z.looseObject({ openapi: z.string() }).meta({ id: 'ApiDocument' }),
  },
  handle: async ({ describeApi }) => Response.json(describeApi()),
});

/** `GET /docs` */
export const readDocs: Operation = defineOperation({
  id: 'readDocs',
  tag: 'Discovery',
  summary: 'The interactive documentation',
  success: { status: 200, description: 'The page', mediaType: 'text/html' },
  handle: async () => sendAsset('page.html', { 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-cache' }),
});

/** `GET /docs/`: the page's links are relative, so it must have one address. */
export const redirectDocs: Operation = defineOperation({
  id: 'redirectDocs',
  tag: 'Discovery',
  summary: 'Go to the interactive documentation',
  success: { status: 302, description: 'To `docs`' },
  handle: async () => redirect('../docs'),
});

/** `GET /docs/{file}` */
export const readDocsAsset: Operation = defineOperation({
  id: 'readDocsAsset',
  tag: 'Discovery',
  summary: 'A file of the interactive documentation',
  params: z.strictObject({ file: z.string() }),
  success: { status: 200, description: 'The file', mediaType: 'application/octet-stream' },
  handle: async ({ params }) => {
    if (!isAsset(params.file)) throw new HttpError('not_found', {});
    return sendAsset(params.file, { 'cache-control': 'public, max-age=3600' });
  },
});

function isAsset(name: string): name is Asset {
  return Object.hasOwn(assets, name);
}

async function sendAsset(name: Asset, headers: Readonly<Record<string, string>>): Promise<Response> {
  const bytes = await readFile(new URL(name, FOLDER));
  return new Response(bytes, { headers: { ...headers, 'content-type': assets[name] } });
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } });
}
