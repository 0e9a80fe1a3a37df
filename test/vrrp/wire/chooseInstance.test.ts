import { chooseInstance } from '../../../src/vrrp/wire/socketPool.js';
import type { VrrpDatagram } from '../../../src/net/ports.js';
import { instanceSettings, ip } from '../../support/vrrp/settings.js';

const from = (source: string): VrrpDatagram => ({
  source: ip(source),
  destination: ip('10.0.0.1'),
  ttl: 255,
  totalLength: undefined,
  payload: new Uint8Array(),
});
const withPeer = (name: string, peer: string) =>
  instanceSettings({ name, unicastPeers: [{ address: ip(peer) }] });

test('the only instance of a number gets each datagram, also one of a stranger', () => {
  const only = withPeer('A', '10.0.0.2');
  expect(chooseInstance([only], from('10.9.9.9'))).toBe(only);
  expect(chooseInstance([], from('10.0.0.2'))).toBeUndefined();
});

test('of several that share a number the one that lists the sender gets it, or none', () => {
  const instances = [withPeer('A', '10.0.0.2'), withPeer('B', '10.0.0.3')];
  expect(chooseInstance(instances, from('10.0.0.3'))?.name).toBe('B');
  expect(chooseInstance(instances, from('10.0.0.4'))).toBeUndefined();
});
