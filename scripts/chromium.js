// Finds the browser that the docs page's test drives, and installs it where that is one quiet command.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './tool.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const wellKnown = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

function findOnPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The path of a Chromium, or undefined. `CHROMIUM_PATH` wins. */
export function findChromium() {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen !== undefined && chosen !== '') return chosen;
  return names.map(findOnPath).find((file) => file !== undefined) ?? wellKnown.find((file) => existsSync(file));
}

/** The path of a Chromium, installed if need be; throws with one line that says how to get one. */
export function ensureChromium() {
  const found = findChromium();
  if (found !== undefined) return found;
  const canInstall = process.getuid?.() === 0 && findOnPath('apt-get') !== undefined;
  if (canInstall) {
    console.log('Installing Chromium for the browser tests (apt-get install chromium) …');
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], { capture: true, env });
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { capture: true, env });
  }
  const installed = findChromium();
  if (installed !== undefined) return installed;
  throw new Error(
    'The browser tests need Chromium: install it (apt-get install chromium, brew install --cask chromium) or set CHROMIUM_PATH.',
  );
}
