/**
 * conntrackd.conf for every transport and mode; unlike the laboratory's, it replicates every
 * protocol.
 */
import type { SyncMode } from '../../../src/sync/settings.js';

export interface PeerLink {
  readonly local: string;
  /** The peer, or the group. */
  readonly destination: string;
  readonly interfaceName: string;
  /** 3780 where absent. */
  readonly port?: number;
  readonly isDefault?: boolean;
}

export interface PeerOptions extends PeerLink {
  readonly mode: SyncMode;
  readonly kind: 'udp' | 'multicast' | 'tcp';
  /** Links beside the first, of the same kind. */
  readonly moreLinks?: readonly PeerLink[];
  /** Lines inside the Mode block. */
  readonly modeLines?: readonly string[];
  readonly expectations?: boolean;
  readonly sendBufferBytes?: number;
  /** Never replicated. */
  readonly ignored: readonly string[];
}

const blockNames = { udp: 'UDP', multicast: 'Multicast', tcp: 'TCP' } as const;

function linkBlock(link: PeerLink, { kind, sendBufferBytes = 1_249_280 }: PeerOptions): string {
  const family = link.destination.includes(':') ? 'IPv6' : 'IPv4';
  const unicast = [
    `${family}_address ${link.local}`,
    `${family}_Destination_Address ${link.destination}`,
    `Port ${link.port ?? 3780}`,
  ];
  const multicast = [
    `${family}_address ${link.destination}`,
    ...(family === 'IPv4' ? [`IPv4_interface ${link.local}`] : []),
    `Group ${link.port ?? 3780}`,
  ];
  return `${blockNames[kind]}${link.isDefault === true ? ' Default' : ''} {
    ${(kind === 'multicast' ? multicast : unicast).join('\n    ')}
    Interface ${link.interfaceName}
    SndSocketBuffer ${sendBufferBytes}
    RcvSocketBuffer 1249280
    Checksum on
  }`;
}

/** Socket and lock file lie in `directory`. */
export function everyProtocolConfig(options: PeerOptions, directory: string): string {
  const ignored = options.ignored.map(
    (address) => `${address.includes(':') ? 'IPv6' : 'IPv4'}_address ${address}`,
  );
  return `Sync {
  Mode ${options.mode} {
    ${(options.modeLines ?? []).join('\n    ')}
  }
  ${[options, ...(options.moreLinks ?? [])].map((link) => linkBlock(link, options)).join('\n  ')}
  Options { ExpectationSync ${options.expectations === true ? 'on' : 'off'} }
}
General {
  HashSize 32768
  HashLimit 262144
  LockFile ${directory}/lock
  UNIX { Path ${directory}/control }
  NetlinkBufferSize 2097152
  NetlinkBufferSizeMaxGrowth 8388608
  Filter From Userspace {
    Address Ignore {
      ${ignored.join('\n      ')}
    }
  }
}
`;
}
