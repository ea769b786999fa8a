import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
const redocly = fileURLToPath(new URL('../../../../node_modules/@redocly/cli/bin/cli.js', import.meta.url));

const anOperation = z.object({
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content: z.unknown().optional() })),
});

const aDocument = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), anOperation)),
  components: z.object({ securitySchemes: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

/** An OpenAPI document as far as guards have written in it. */
export type ReadDocument = z.infer<typeof aDocument>;

/** What any generator made, as a client would read it. */
export function read(document: unknown): ReadDocument {
  return aDocument.parse(JSON.parse(JSON.stringify(document)));
}

/** What a linter for OpenAPI has against a document: nothing, when it follows the specification. */
export async function findFaults(document: unknown): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-openapi-'));
  const file = join(folder, 'openapi.json');
  writeFileSync(file, JSON.stringify(document));
  writeFileSync(join(folder, 'redocly.yaml'), 'extends: [spec]\ntelemetry: off\n');
  try {
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    await run(process.execPath, [redocly, 'lint', file, '--config', join(folder, 'redocly.yaml')], {
      cwd: folder,
      env,
    });
    return '';
  } catch (error) {
    return String(Object(error).stdout) + String(Object(error).stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
