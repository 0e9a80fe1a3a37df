/**
 * Adverts that a router must refuse, as whole Ethernet frames; each kind is wrong in exactly one
 * way.
 */
import { foldChecksum, onesComplementSum } from '../../../src/base/checksum.js';
import { seconds } from '../../../src/base/time.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import { encodeAdvert } from '../../../src/vrrp/wire/packet.js';
import type { InstanceSettings } from '../../../src/vrrp/settings.js';
import type { SeededRandom } from '../base/seededRandom.js';
import { instanceSettings, ip, password, vip } from './settings.js';

/** What the routers under attack are configured for. */
export const victim = instanceSettings({
  virtualRouterId: 51,
  authentication: password('secret'),
  virtualAddresses: [vip('10.0.0.100')],
});

export const junkKinds = [
  'password',
  'authenticationType',
  'interval',
  'otherVips',
  'ttl',
  'version',
  'checksum',
  'packetType',
  'truncated',
  'tooLong',
  'unknownVrid',
  'random',
] as const;
/** `lower` is no junk: a correct advert of priority 50. */
export type JunkKind = (typeof junkKinds)[number] | 'lower';

/** From 10.0.0.66, with a priority that would win if it were believed. */
export function junkFrame(kind: JunkKind, random: SeededRandom, priority = 254): Uint8Array {
  const source = ip('10.0.0.66');
  const carriage = { source, destination: victim.multicastGroup };
  const say = (overrides: Partial<InstanceSettings>): Uint8Array =>
    encodeAdvert(advertOf({ ...victim, ...overrides }, priority), carriage);
  const good = say({});
  switch (kind) {
    case 'lower':
      return frame(encodeAdvert(advertOf(victim, 50), carriage));
    case 'password':
      return frame(say({ authentication: password('guess') }));
    case 'authenticationType':
      return frame(say({ authentication: { kind: 'none' } }));
    case 'interval':
      return frame(say({ advertInterval: seconds(3) }));
    case 'otherVips':
      return frame(say({ virtualAddresses: [vip('10.0.0.101')] }));
    case 'ttl':
      return frame(good, 254);
    case 'version':
      // Of the right length for version 2, or the length would be what is wrong.
      return frame(good.map((byte, i) => (i === 0 ? 0x31 : byte)));
    case 'checksum':
      return frame(good.map((byte, i) => (i === 6 ? byte ^ 0xff : byte)));
    case 'packetType': {
      const typed = good.map((byte, i) => (i === 0 ? 0x22 : byte));
      typed.set([0, 0], 6);
      const sum = foldChecksum(onesComplementSum(typed));
      typed.set([sum >> 8, sum & 0xff], 6);
      return frame(typed);
    }
    case 'truncated':
      return frame(good.subarray(0, 8 + random.below(good.length - 9)));
    case 'tooLong':
      return frame(Uint8Array.from([...good, ...good]));
    case 'unknownVrid':
      return frame(say({ virtualRouterId: 77 }));
    case 'random': {
      const noise = Uint8Array.from({ length: 8 + random.below(100) }, () => random.below(256));
      noise[1] = victim.virtualRouterId;
      return frame(noise);
    }
  }
}

const ethernetHeader = [...[0x01, 0x00, 0x5e, 0, 0, 0x12], ...[2, 0, 0, 0, 0, 0x66], 0x08, 0x00];

function frame(payload: Uint8Array, ttl = 255): Uint8Array {
  const length = 20 + payload.length;
  const header = Uint8Array.from([
    ...[0x45, 0xc0, length >> 8, length & 0xff, 0, 1, 0, 0, ttl, 112, 0, 0],
    ...[10, 0, 0, 66],
    ...victim.multicastGroup.bytes,
  ]);
  const sum = foldChecksum(onesComplementSum(header));
  header.set([sum >> 8, sum & 0xff], 10);
  return Uint8Array.from([...ethernetHeader, ...header, ...payload]);
}
