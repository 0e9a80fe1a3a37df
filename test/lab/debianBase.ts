/**
 * Roots of bare Debian systems, made by debootstrap from this machine's mirror and kept between
 * runs: systemd and what a gateway has, and no Node.js, compiler or npm. They are never written to:
 * SystemdMachine lays an overlay over them.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, tryRun } from './command.js';

export type DebianSuite = 'bookworm' | 'trixie';

const cache = '/var/cache/keepstate-debian';

/** What Debian's installer puts on any machine, as far as the tests ask for it. */
const included = [
  ...['init-system-helpers', 'systemd', 'systemd-sysv', 'dbus', 'iproute2', 'nftables'],
  ...['procps', 'kmod', 'man-db', 'bash-completion', 'logrotate', 'netbase', 'libstdc++6'],
];

/** Packages whose files wait in the cache of apt: an operator installs them by hand. */
const waiting = ['keepalived', 'conntrackd', 'conntrack'];

const timeoutMilliseconds = 1_200_000;

/** Makes it where it is not there yet, which takes some minutes. */
export async function debianBase(suite: DebianSuite): Promise<string> {
  const root = join(cache, suite);
  if (existsSync(root)) return root;
  mkdirSync(cache, { recursive: true });
  const making = join(cache, `${suite}.${process.pid}`);
  try {
    await run(
      ['debootstrap', '--variant=minbase', `--include=${included.join(',')}`, suite, making],
      { timeoutMilliseconds },
    );
    await run(['chroot', making, 'apt-get', 'clean']);
    await run(
      [
        ...['chroot', making, 'apt-get', '-y', '--no-install-recommends', '--download-only'],
        ...['install', ...waiting],
      ],
      { timeoutMilliseconds, env: { DEBIAN_FRONTEND: 'noninteractive' } },
    );
    if (!existsSync(root)) renameSync(making, root);
  } finally {
    // debootstrap that was ended leaves it behind, and what it said would be lost with it.
    await tryRun(['umount', join(making, 'proc')]);
    rmSync(making, { recursive: true, force: true });
  }
  return root;
}

/** Paths inside of the packages that wait. */
export async function waitingPackages(suite: DebianSuite): Promise<readonly string[]> {
  const folder = '/var/cache/apt/archives';
  const names = readdirSync(join(await debianBase(suite), folder));
  return names.filter((name) => name.endsWith('.deb')).map((name) => join(folder, name));
}
