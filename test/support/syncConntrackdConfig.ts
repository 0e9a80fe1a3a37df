/** conntrackd.conf for every transport and mode; unlike the laboratory's, it replicates every protocol. */
import type { SyncMode } from '../../src/sync/settings.js';

export interface PeerOptions {
  readonly mode: SyncMode;
  readonly kind: 'udp' | 'multicast' | 'tcp';
  readonly local: string;
  /** The peer, or the group. */
  readonly destination: string;
  readonly interfaceName: string;
  /** Lines inside the Mode block. */
  readonly modeLines?: readonly string[];
  readonly expectations?: boolean;
  readonly sendBufferBytes?: number;
  /** Never replicated. */
  readonly ignored: readonly string[];
}

const blockNames = { udp: 'UDP', multicast: 'Multicast', tcp: 'TCP' } as const;

/** Socket and lock file lie in `directory`. */
export function everyProtocolConfig(options: PeerOptions, directory: string): string {
  const family = options.destination.includes(':') ? 'IPv6' : 'IPv4';
  const unicast = [
    `${family}_address ${options.local}`,
    `${family}_Destination_Address ${options.destination}`,
    'Port 3780',
  ];
  const multicast = [
    `${family}_address ${options.destination}`,
    ...(family === 'IPv4' ? [`IPv4_interface ${options.local}`] : []),
    'Group 3780',
  ];
  const ignored = options.ignored.map(
    (address) => `${address.includes(':') ? 'IPv6' : 'IPv4'}_address ${address}`,
  );
  return `Sync {
  Mode ${options.mode} {
    ${(options.modeLines ?? []).join('\n    ')}
  }
  ${blockNames[options.kind]} {
    ${(options.kind === 'multicast' ? multicast : unicast).join('\n    ')}
    Interface ${options.interfaceName}
    SndSocketBuffer ${options.sendBufferBytes ?? 1_249_280}
    RcvSocketBuffer 1249280
    Checksum on
  }
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
