/** Who may import whom, sub-room by sub-room. The README of each says why. */
import { builtinModules } from 'node:module';
import { dirname } from 'node:path';
import type { Import } from './sourceImports.js';

type Rule = (to: string, seen: Import) => boolean;

/**
 * What a sub-room may import: `sync/wire` is a sub-room without those below it, `conntrack/*` a
 * room with all of its sub-rooms, `net/ports.ts` a file; `type:` before any of them admits
 * type-only imports.
 */
type Allowed = string | Rule;

/** `run` and `release` load the daemon when they are called, so that other verbs start fast. */
const lazily =
  (file: string): Rule =>
  (to, seen) =>
    seen.isDynamic && to === file;

/** The daemon composes a node from all other rooms. */
const everyOtherRoom: Rule = (to) => !/^(\.\.|cli|daemon)\//.test(to);

const settingsTypes = [
  ...['type:vrrp/settings.ts', 'type:sync/settings.ts', 'type:http/settings.ts'],
  'alert/alertSettings.ts',
];

/** Besides itself and `base`. */
const table: Readonly<Record<string, readonly Allowed[]>> = {
  base: [],

  net: [],
  'net/native': [],
  'net/socket': ['net/native', 'net/ports.ts'],
  'net/cipher': ['net/native'],
  'net/netlink': ['net/socket', 'net/ports.ts'],
  'net/channel': ['net/socket', 'net/ports.ts'],
  'net/vrrp': ['net/socket', 'net/ports.ts'],
  'net/probe': ['net/socket', 'net/ports.ts'],
  'net/beat': ['net/native', 'net/socket', 'net/ports.ts'],

  conntrack: ['conntrack/record'],
  'conntrack/record': ['conntrack/constants.ts'],
  'conntrack/codec': ['conntrack/record', 'conntrack/constants.ts'],
  'conntrack/kernel': ['conntrack/codec', 'conntrack/record', 'conntrack', 'net/socket'],
  'conntrack/text': [
    ...['conntrack/codec', 'conntrack/record', 'conntrack'],
    ...['net/socket', 'net/netlink'],
  ],
  'conntrack/command': [
    'conntrack/text',
    'conntrack/codec',
    'conntrack/constants.ts',
    'net/socket',
  ],

  vrrp: [
    ...['vrrp/addresses', 'vrrp/auth', 'vrrp/machine', 'vrrp/notify', 'vrrp/scripts'],
    ...['vrrp/status', 'vrrp/tracking', 'vrrp/wire', 'net/ports.ts'],
  ],
  'vrrp/reach': ['vrrp/tracking', 'vrrp/machine', 'vrrp/settings.ts', 'net/ports.ts'],
  'vrrp/auth': ['vrrp/settings.ts', 'net/ports.ts'],
  'vrrp/wire': ['vrrp/auth', 'vrrp/settings.ts', 'net/ports.ts'],
  'vrrp/machine': ['vrrp/wire', 'vrrp/auth', 'vrrp/settings.ts', 'net/ports.ts'],
  'vrrp/addresses': ['vrrp/machine', 'vrrp/settings.ts', 'net/ports.ts'],
  'vrrp/scripts': ['vrrp/settings.ts'],
  'vrrp/notify': ['vrrp/scripts', 'vrrp/settings.ts'],
  'vrrp/tracking': [
    ...['vrrp/addresses', 'vrrp/machine', 'vrrp/scripts', 'vrrp/wire'],
    ...['vrrp/settings.ts', 'net/ports.ts'],
  ],
  'vrrp/status': [
    ...['vrrp/addresses', 'vrrp/auth', 'vrrp/machine', 'vrrp/tracking', 'vrrp/wire'],
    'vrrp/settings.ts',
  ],
  'vrrp/dumps': ['vrrp/machine', 'vrrp/status', 'vrrp/settings.ts'],

  sync: ['type:sync/wire', 'type:sync/links', 'type:sync/seal'],
  'sync/wire': ['conntrack/*', 'net/ports.ts'],
  'sync/tables': ['sync/wire', 'conntrack/*'],
  'sync/local': ['sync/tables', 'sync', 'conntrack/*'],
  'sync/remote': ['sync/tables', 'sync/wire', 'sync', 'conntrack/*'],
  'sync/stream': [
    ...['sync/stream/modes', 'sync/stream/queues', 'sync/remote', 'sync/tables'],
    ...['sync/wire', 'sync', 'conntrack/*'],
  ],
  'sync/stream/modes': ['sync/wire'],
  'sync/stream/queues': ['sync/tables', 'sync/wire', 'conntrack/*'],
  'sync/links': ['sync/wire', 'sync', 'net/ports.ts'],
  'sync/seal': ['sync/wire', 'sync', 'net/cipher', 'net/ports.ts'],
  'sync/engine': [
    ...['sync/links', 'sync/stream', 'sync/local', 'sync/remote', 'sync/tables', 'sync/wire'],
    ...['sync', 'conntrack/*'],
  ],
  'sync/comparison': ['sync/engine', 'sync/tables', 'sync/wire', 'sync', 'conntrack/*'],
  'sync/peerChannel': [
    ...['sync/comparison', 'sync/engine', 'sync/links', 'sync/wire', 'sync'],
    'net/ports.ts',
  ],
  'sync/role': [
    ...['sync/peerChannel', 'sync/comparison', 'sync/engine', 'sync/local', 'sync/remote'],
    ...['sync/tables', 'sync', 'conntrack/*'],
  ],
  'sync/statistics': ['sync/role', 'sync/local', 'sync/tables', 'sync', 'conntrack/*'],
  'sync/client': [
    ...['sync/statistics', 'sync/role', 'sync/peerChannel', 'sync/engine', 'sync/seal'],
    ...['sync/tables', 'sync', 'conntrack/*'],
  ],
  // The worker joins the logic of `sync` to real sockets.
  'sync/worker': ['sync/*', 'net/channel', 'net/socket'],

  config: [
    ...['config/warn', 'config/build', 'config/keywords', 'config/table', 'config/text'],
    ...settingsTypes,
  ],
  'config/text': ['config/problem.ts', 'config/loadPorts.ts'],
  'config/table': ['config/text', 'config/nearest.ts', 'config/problem.ts', 'config/tree.ts'],
  'config/keywords': [
    'config/table',
    'config/text',
    'config',
    ...settingsTypes,
    'type:net/ports.ts',
  ],
  'config/build': [
    'config/keywords',
    'config/table',
    'config',
    ...settingsTypes,
    'type:net/ports.ts',
  ],
  'config/machine': ['config/nodeSettings.ts'],
  'config/warn': [
    ...['config/build', 'config/keywords', 'config/machine', 'config/table', 'config'],
    ...settingsTypes,
  ],
  'config/peer': ['config/build', 'config/keywords', 'config/table', 'config', ...settingsTypes],
  'config/migrate': ['config/text', 'config', 'type:vrrp/settings.ts'],

  control: [],
  http: ['type:control'],
  alert: ['vrrp/scripts', 'type:vrrp/settings.ts'],
  agreement: [],
  'agreement/wire': ['agreement/statement.ts'],
  coordinator: ['sync/messages.ts', 'vrrp/status/rolePicture.ts', 'control/protocol.ts'],

  daemon: [everyOtherRoom, 'daemon/*'],
  'daemon/log': [everyOtherRoom],
  'daemon/problemTable': [everyOtherRoom],
  'daemon/host': [everyOtherRoom, 'daemon/problemTable'],
  'daemon/worker': [everyOtherRoom, 'daemon/host'],
  'daemon/status': [everyOtherRoom, 'daemon/problemTable', 'daemon/worker'],
  'daemon/disk': [everyOtherRoom, 'daemon/problemTable'],
  'daemon/web': [everyOtherRoom, 'daemon/problemTable'],
  'daemon/alerts': [everyOtherRoom, 'daemon/problemTable', 'daemon/disk'],
  'daemon/roles': [
    ...[everyOtherRoom, 'daemon/problemTable', 'daemon/disk', 'daemon/status/peerRole.ts'],
  ],

  cli: [
    ...['cli/conntrack', 'cli/doctor', 'config/*', 'control', 'conntrack/*', 'net/socket'],
    'net/probe',
    ...[lazily('daemon/runDaemon.ts'), lazily('daemon/release.ts')],
    ...[lazily('daemon/host/otherDaemons.ts'), lazily('daemon/host/incumbentUnits.ts')],
  ],
  'cli/conntrack': ['conntrack/*'],
  'cli/doctor': [
    ...['cli/doctor/nft', 'config/*', 'net/netlink', 'net/socket'],
    ...['net/ports.ts', 'vrrp/reach/probeSpec.ts', 'vrrp/reach/refusals.ts'],
  ],
  'cli/doctor/nft': ['net/netlink'],
};

/** Packages, each behind the one room that hides it. */
const packages: Readonly<Record<string, string>> = {
  netlink: 'net',
  'raw-socket': 'net',
  winston: 'daemon',
  commander: 'cli',
  'prom-client': 'http',
  nodemailer: 'alert',
};

/** One line per import that the table forbids; empty when all is well. */
export function forbiddenImports(imports: readonly Import[]): string[] {
  return imports
    .filter((seen) => !isAllowed(seen))
    .map((seen) => `${seen.from} must not import ${seen.to ?? seen.specifier}`);
}

/**
 * Sub-rooms that may import each other, by way of others too: one line for each that reaches
 * itself.
 */
export function tableRings(): string[] {
  const next = (name: string): string[] =>
    (table[name] ?? []).flatMap((allowed) => {
      if (typeof allowed !== 'string' || allowed.endsWith('.ts')) return [];
      const target = allowed.replace(/^type:/, '');
      if (!target.endsWith('/*')) return roomsWithSubRooms.has(target) ? [] : [target];
      return Object.keys(table).filter(
        (key) => key.startsWith(target.slice(0, -1)) && key !== name,
      );
    });
  const reaches = (from: string): Set<string> => {
    const seen = new Set<string>();
    const visit = (name: string): void => {
      for (const target of next(name)) {
        if (seen.has(target)) continue;
        seen.add(target);
        visit(target);
      }
    };
    visit(from);
    return seen;
  };
  return Object.keys(table).filter((name) => reaches(name).has(name));
}

/**
 * Settings, ports and vocabulary stand in the folder of the room itself: its sub-rooms import them.
 */
const roomsWithSubRooms = new Set(
  Object.keys(table).flatMap((name) => (name.includes('/') ? [name.split('/')[0] ?? ''] : [])),
);

/** Sub-rooms that the table names. */
export const subRooms: readonly string[] = Object.keys(table);

function isAllowed(seen: Import): boolean {
  const own = dirname(seen.from);
  const rules = table[own];
  if (rules === undefined) return false;
  if (seen.to === undefined) return isAllowedPackage(own, seen);
  const to = seen.to;
  return [own, 'base', ...rules].some((rule) =>
    typeof rule === 'string' ? matches(rule, to, seen) : rule(to, seen),
  );
}

function matches(rule: string, to: string, seen: Import): boolean {
  if (rule.startsWith('type:')) return seen.isTypeOnly && matches(rule.slice(5), to, seen);
  if (rule.endsWith('.ts')) return to === rule;
  return rule.endsWith('/*') ? to.startsWith(rule.slice(0, -1)) : dirname(to) === rule;
}

function isAllowedPackage(own: string, { specifier }: Import): boolean {
  if (specifier.startsWith('node:')) return builtinModules.includes(specifier.slice(5));
  const name = specifier.split('/')[0] ?? '';
  return packages[name] === own.split('/')[0];
}
