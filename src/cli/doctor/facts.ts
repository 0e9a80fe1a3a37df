/**
 * Gathers what examine.ts judges, from /proc, nft and ioctls, all of the calling thread's network
 * namespace (/sys shows that of its mount). What cannot be learnt is undefined.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { sysctlNames } from '../../config/machine/takeoverSysctls.js';
import type { Incumbents } from '../../config/machine/incumbents.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import { BatchedSocket } from '../../net/socket/batchedSocket.js';
import { interfaceFlags } from '../../net/socket/interfaceQuery.js';
import { parseNftRuleset } from '../../net/netlink/nftRules.js';
import { AF_INET, SOCK_DGRAM } from '../../net/socket/sockaddr.js';
import { interfacesOf, type MachineReport } from './examine.js';
import { legacyTablesInUse } from './legacy.js';
import { linkAddresses, linkBridges } from './links.js';
import { parseListing } from './nft/rulesetListing.js';

/** Bit numbers of linux/capability.h that the daemon needs. */
const neededCapabilities: readonly (readonly [string, bigint])[] = [
  ['CAP_NET_ADMIN', 12n],
  ['CAP_NET_RAW', 13n],
];

/** `found`: the daemon's room looks for other daemons. */
export function gatherFacts(settings: NodeSettings, found: Incumbents): MachineReport {
  const keys = sysctlNames(settings);
  const ruleset = output('nft', '-j', 'list', 'ruleset');
  const links = output('ip', '-j', '-d', 'address', 'show');
  return {
    sysctls: Object.fromEntries(keys.map((key) => [key, readNumber(`/proc/sys/${key}`)])),
    ruleset: ruleset === undefined ? undefined : parseNftRuleset(ruleset),
    listing: parseListing(output('nft', '-a', 'list', 'ruleset') ?? ''),
    legacyTables: (['ip', 'ip6'] as const).flatMap((family) =>
      legacyTablesInUse(
        family,
        readText(`/proc/net/${family}_tables_names`) ?? '',
        output(family === 'ip' ? 'iptables-legacy-save' : 'ip6tables-legacy-save'),
      ),
    ),
    bridges: linkBridges(links),
    addresses: linkAddresses(links),
    missingCapabilities: missingCapabilities(readText('/proc/self/status') ?? ''),
    interfaces: interfacesUp(interfacesOf(settings)),
    incumbents: found,
    conntrackEntries: readNumber('/proc/sys/net/netfilter/nf_conntrack_count'),
  };
}

/** From the `CapEff` line of /proc/PID/status. */
export function missingCapabilities(status: string): readonly string[] {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (mask === undefined) return [];
  const effective = BigInt(`0x${mask}`);
  return neededCapabilities
    .filter(([, bit]) => ((effective >> bit) & 1n) === 0n)
    .map(([name]) => name);
}

/** Those that exist, with IFF_UP of their flags. */
function interfacesUp(names: readonly string[]): ReadonlyMap<string, boolean> {
  const opened = BatchedSocket.open({ domain: AF_INET, type: SOCK_DGRAM, protocol: 0 });
  if (opened.kind === 'refused') return new Map();
  const { socket } = opened;
  const found = names.flatMap((name): [string, boolean][] => {
    const flags = interfaceFlags(socket, name);
    return flags.kind === 'value' ? [[name, (flags.value & 1) === 1]] : [];
  });
  socket.close();
  return new Map(found);
}

/** Of a program that ended well; undefined where it is not there or refuses. */
function output(program: string, ...words: readonly string[]): string | undefined {
  return attempt(() =>
    execFileSync(program, words, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1_048_576,
    }),
  );
}

function readNumber(path: string): number | undefined {
  const text = readText(path)?.trim();
  const value = Number(text);
  return text === undefined || text === '' || Number.isNaN(value) ? undefined : value;
}

function readText(path: string): string | undefined {
  return attempt(() => readFileSync(path, 'utf8'));
}

function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    // Missing or not allowed: not known, and doctor says nothing about it.
    return undefined;
  }
}
