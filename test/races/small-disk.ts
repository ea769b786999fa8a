import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../server-process.ts';

/** A disk with little room. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes room away until so many bytes are left. */
  readonly leave: (bytes: number) => void;
  /** Gives all of it back. */
  readonly clear: () => void;
  readonly remove: () => void;
}

/** Mounts one. Where that is not allowed, says why and what would help. */
export function mountSmallDisk(bytes: number): SmallDisk | string {
  const folder = temporaryFolder();
  const filler = join(folder, 'filler');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(bytes)}`, 'sallyport-test', folder], { stdio: 'pipe' });
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return 'no small disk could be mounted: run as root, on Linux, where mounting is allowed';
  }
  const free = (): number => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  return {
    folder,
    leave: (left) => {
      const file = openSync(filler, 'a');
      for (let size = free() - left; size > 0; size = free() - left) {
        writeSync(file, Buffer.alloc(Math.min(size, 65_536)));
      }
      closeSync(file);
    },
    clear: () => rmSync(filler, { force: true }),
    remove: () => {
      execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
