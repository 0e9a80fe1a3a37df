/** `Sync` and the replication half of `General` (conntrackd 1.4.7). */
import { seconds } from '../../base/time.js';
import { ipEquals, type IpAddress } from '../../base/ipAddress.js';
import type { KernelSettings, SyncMode, SyncSettings } from '../../sync/settings.js';
import { nearestWord } from '../nearest.js';
import type { generalRows, modeRows } from '../keywords/conntrackdRows.js';
import type { RootValues } from '../keywords/rootRows.js';
import { last, type Located, type Rows, type Values } from '../table/row.js';
import { optional, valueOf, type BuildContext } from './context.js';
import { buildFilter } from './filter.js';
import type { GlobalValues } from './globals.js';
import { buildLinks, type SyncValues } from './links.js';

type ModeValues = Values<typeof modeRows>;
export type GeneralValues = Values<typeof generalRows>;

/** Which keyword goes with which mode; all others are syntax errors for conntrackd. */
const modeKeywords: Readonly<Record<SyncMode, readonly (keyof ModeValues)[]>> = {
  FTFW: [
    ...(['ResendQueueSize', 'ACKWindowSize', 'CommitTimeout', 'PurgeTimeout'] as const),
    ...(['DisableExternalCache', 'StartupResync'] as const),
  ],
  NOTRACK: [
    ...(['CommitTimeout', 'PurgeTimeout', 'DisableExternalCache'] as const),
    ...(['DisableInternalCache', 'StartupResync'] as const),
  ],
  ALARM: ['RefreshTime', 'CacheTimeout', 'CommitTimeout', 'PurgeTimeout'],
};

export function buildSync(
  root: RootValues,
  globals: GlobalValues,
  general: GeneralValues | undefined,
  ownAddresses: readonly IpAddress[],
  nodeName: string,
  context: BuildContext,
): SyncSettings | undefined {
  const sync = last(root.Sync);
  if (sync === undefined) return undefined;
  const { values } = sync.value;
  const { mode, options } = modeOf(values, sync, context);
  const links = buildLinks(values, sync, context);
  const linkAddresses = links.flatMap((link) => [link.localAddress, link.destination]);
  return {
    mode,
    links,
    ...modeSettings(options, values, context),
    ...optionSettings(values),
    ...kernelSettings(general),
    filter: buildFilter(general?.Filter ?? [], context),
    ownAddresses: distinct([
      ...ownAddresses,
      ...linkAddresses.filter((address) => address !== undefined),
    ]),
    ...optional('peerPort', peerPort(globals, links[0]?.port, context)),
    nodeName,
    ...optional('multicastPeers', syncPeers(globals)),
    acceptAnySource: valueOf(globals.accept_any_sync_source) ?? false,
  };
}

/** Of all lines together. */
function syncPeers(globals: GlobalValues): readonly IpAddress[] | undefined {
  const named = globals.sync_peer.flatMap(({ value }) => value);
  return named.length === 0 ? undefined : distinct(named);
}

/** Each address once. */
export function distinct(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return addresses.filter(
    (address, i) => addresses.findIndex((other) => ipEquals(other, address)) === i,
  );
}

/** Old names are still understood by conntrackd, with a warning. */
const oldModeNames: Readonly<Record<string, SyncMode>> = { NACK: 'FTFW', PERSISTENT: 'ALARM' };
const modes = ['FTFW', 'NOTRACK', 'ALARM'] as const;

function modeOf(
  values: SyncValues,
  sync: Located<unknown>,
  { problems }: BuildContext,
): { mode: SyncMode; options: ModeValues | undefined } {
  const block = last(values.Mode);
  if (block === undefined) {
    problems.warning(sync.at, 'default-mode', "'Sync' has no Mode: FTFW", {
      expected: 'Mode FTFW { }',
      fix: { kind: 'add', where: 'inside', lines: ['Mode FTFW {', '}'] },
    });
    return { mode: 'FTFW', options: undefined };
  }
  const name = (block.value.header[0] ?? '').toUpperCase();
  const old = Object.hasOwn(oldModeNames, name) ? oldModeNames[name] : undefined;
  const mode = old ?? modes.find((candidate) => candidate === name);
  if (old !== undefined) {
    problems.warning(block.at, 'old-name', `'${name}' is an old name of ${old}`, {
      expected: old,
      fix: { kind: 'word', from: block.value.header[0] ?? name, to: old },
    });
  }
  if (mode === undefined) {
    const nearest = nearestWord(name, modes);
    problems.error(block.at, 'bad-value', `there is no mode '${block.value.header[0] ?? ''}'`, {
      expected: modes.join(', '),
      ...(nearest === undefined ? {} : { nearest }),
    });
    return { mode: 'FTFW', options: undefined };
  }
  checkModeKeywords(mode, block.value.values, problems);
  return { mode, options: block.value.values };
}

function checkModeKeywords(
  mode: SyncMode,
  values: ModeValues,
  problems: BuildContext['problems'],
): void {
  for (const [name, located] of Object.entries(values) as [
    keyof ModeValues,
    readonly Located<unknown>[],
  ][]) {
    if (modeKeywords[mode].includes(name)) continue;
    for (const { at } of located) {
      problems.error(at, 'wrong-mode', `'${name}' does not go with Mode ${mode}`, {
        expected: `one of ${modeKeywords[mode].join(', ')}`,
      });
    }
  }
}

type ModeSettings = Pick<
  SyncSettings,
  | 'resendQueueSize'
  | 'ackWindowSize'
  | 'commitTimeoutSeconds'
  | 'purgeTimeout'
  | 'disableExternalCache'
  | 'disableInternalCache'
  | 'startupResync'
  | 'refreshTimeSeconds'
  | 'cacheTimeoutSeconds'
>;

/** Timeouts may stand in the mode's block or, as in old files, in `Sync` itself. */
function modeSettings(
  options: ModeValues | undefined,
  sync: SyncValues,
  { problems }: BuildContext,
): ModeSettings {
  const commitTimeout = last([...sync.CommitTimeout, ...(options?.CommitTimeout ?? [])]);
  const isExternalOff = one(options, 'DisableExternalCache') ?? false;
  if (commitTimeout !== undefined && isExternalOff) {
    const message = "'CommitTimeout' has no effect beside DisableExternalCache on";
    problems.warning(commitTimeout.at, 'no-effect', message, { expected: 'one of them' });
  }
  const ackWindowSize = one(options, 'ACKWindowSize') ?? 0;
  return {
    resendQueueSize: one(options, 'ResendQueueSize') ?? 131_072,
    // 0 means the default too.
    ackWindowSize: ackWindowSize === 0 ? 300 : ackWindowSize,
    ...optional('commitTimeoutSeconds', isExternalOff ? undefined : commitTimeout?.value),
    purgeTimeout: seconds(timeout(options, sync, 'PurgeTimeout', 60)),
    disableExternalCache: isExternalOff,
    disableInternalCache: one(options, 'DisableInternalCache') ?? false,
    startupResync: one(options, 'StartupResync') ?? false,
    refreshTimeSeconds: timeout(options, sync, 'RefreshTime', 60),
    cacheTimeoutSeconds: timeout(options, sync, 'CacheTimeout', 180),
  };
}

function timeout(
  options: ModeValues | undefined,
  sync: SyncValues,
  name: 'PurgeTimeout' | 'RefreshTime' | 'CacheTimeout',
  otherwise: number,
): number {
  return one(options, name) ?? valueOf(sync[name]) ?? otherwise;
}

/** The value of a keyword in a block that may be absent. */
export function one<R extends Rows, K extends keyof R>(
  values: Values<R> | undefined,
  name: K,
): Values<R>[K][number]['value'] | undefined {
  return values?.[name].at(-1)?.value;
}

function optionSettings(
  sync: SyncValues,
): Pick<SyncSettings, 'tcpWindowTracking' | 'expectationSync'> {
  const options = valueOf(sync.Options)?.values;
  return {
    tcpWindowTracking: one(options, 'TCPWindowTracking') ?? false,
    expectationSync: one(options, 'ExpectationSync') ?? 'off',
  };
}

/** What is heard of the kernel, but for the filter. */
export function kernelSettings(general: GeneralValues | undefined): Omit<KernelSettings, 'filter'> {
  return {
    hashLimit: one(general, 'HashLimit') ?? 262_144,
    ...optional('netlinkBufferBytes', one(general, 'NetlinkBufferSize')),
    netlinkBufferMaxGrowthBytes: one(general, 'NetlinkBufferSizeMaxGrowth') ?? 0,
    netlinkEventsReliable: one(general, 'NetlinkEventsReliable') ?? false,
    ...optional('pollSeconds', one(general, 'PollSecs')),
  };
}

/** The sync port + 1 unless said otherwise; 0 is off. */
function peerPort(
  globals: GlobalValues,
  syncPort: number | undefined,
  { problems }: BuildContext,
): number | undefined {
  const located = last(globals.peer_port);
  if (located !== undefined && located.value !== 0 && located.value === syncPort) {
    problems.error(located.at, 'bad-value', 'peer_port is the port of the sync link itself', {
      expected: 'another port',
    });
  }
  const port = located?.value ?? (syncPort ?? 0) + 1;
  return port === 0 || port === 1 || port > 65_535 ? undefined : port;
}
