import { type Browser, chromium } from 'playwright-core';

/** Starts the browser that `npm test` has found or installed. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'];
  if (executablePath === undefined) throw new Error('CHROMIUM_PATH is not set: npm test finds or installs a Chromium.');
  // As root, as in most containers, Chromium does not start with its sandbox.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}
