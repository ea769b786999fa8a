import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../server-process.ts';
import type { Environment } from './fleet.ts';

const places = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`);

/** The library that sets a process's clock, where it is installed. */
export const faketime: string | undefined = places.find((path) => existsSync(path));

/** Why a test of clocks cannot run, and what would let it. */
export const withoutFaketime = 'libfaketime is not installed: apt-get install libfaketime (Debian, Ubuntu)';

/** A clock that processes started with `env` go by. */
export interface FakeClock {
  readonly env: Environment;
  /** Sets it so many seconds off the real time, in processes that run already too. */
  readonly set: (offset: number) => void;
}

export function aFakeClock(offset = 0): FakeClock {
  const file = join(temporaryFolder(), 'offset');
  const set = (seconds: number): void =>
    writeFileSync(file, `${seconds < 0 ? '-' : '+'}${String(Math.abs(seconds))}\n`);
  set(offset);
  const env = {
    LD_PRELOAD: faketime ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    // Timers go on as they would: setting a clock does not touch them either.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  return { env, set };
}
