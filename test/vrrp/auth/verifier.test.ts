import { Secret } from '../../../src/base/secret.js';
import { addTime, microseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import type { VrrpDatagram } from '../../../src/net/ports.js';
import { numberAt } from '../../../src/vrrp/auth/number.js';
import { encodeTrailer } from '../../../src/vrrp/auth/trailer.js';
import { AdvertVerifier } from '../../../src/vrrp/auth/verifier.js';
import type { HmacSettings, InstanceSettings } from '../../../src/vrrp/settings.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import { encodeAdvert } from '../../../src/vrrp/wire/packet.js';
import { instanceSettings, ip } from '../../support/vrrp/settings.js';

const now = seconds(1_764_590_400);
const key = { id: 1, secret: new Secret(new Uint8Array(32).fill(1)) };
const other = { id: 1, secret: new Secret(new Uint8Array(32).fill(2)) };
const hmac: HmacSettings = {
  keys: [key],
  activeKeyId: 1,
  antiReplay: 'time',
  timeWindow: seconds(5),
  mode: 'enforce',
};
const instance = instanceSettings();

interface Sent {
  readonly from?: string;
  readonly with?: typeof key;
  readonly at?: Microseconds;
  readonly number?: bigint;
  readonly change?: (bytes: Uint8Array) => void;
  readonly by?: InstanceSettings;
}

function datagram({ from = '10.0.0.2', by = instance, ...sent }: Sent = {}): VrrpDatagram {
  const source = ip(from);
  const destination = by.multicastGroup;
  const advert = encodeAdvert(advertOf(by, 200), { source, destination });
  const number = sent.number ?? numberAt(sent.at ?? now);
  const trailer = encodeTrailer({ advert, source }, sent.with ?? key, number);
  const payload = Uint8Array.from([...advert, ...trailer]);
  sent.change?.(payload);
  return { source, destination, ttl: 255, totalLength: payload.length + 20, payload };
}

const trailerAt = (bytes: Uint8Array, offset: number): number => bytes.length - 28 + offset;

class Node {
  readonly verifier: AdvertVerifier;
  readonly settings: HmacSettings;
  readonly by: InstanceSettings;

  constructor(settings = hmac, by = instance, saved?: Readonly<Record<string, bigint>>) {
    this.settings = settings;
    this.by = by;
    this.verifier = new AdvertVerifier(saved);
  }

  /** `signed`, or the check that failed. */
  hear(sent: Sent = {}, at = now): string {
    const heard = datagram({ by: this.by, ...sent });
    const proof = this.verifier.examine(this.by, this.settings, heard, at);
    return proof.kind === 'refused' ? proof.failure : proof.kind;
  }
}

test('a trailer of our key, in time and new, is right', () => {
  expect(new Node().hear()).toBe('signed');
});

test.each<[string, Sent, string]>([
  ['type 2', { change: (b) => (b[trailerAt(b, 0)] = 2) }, 'authMalformed'],
  ['reserved bits', { change: (b) => (b[trailerAt(b, 3)] = 1) }, 'authMalformed'],
  ['a key that is not here', { with: { ...key, id: 9 } }, 'authUnknownKey'],
  ['key 0', { with: { ...key, id: 0 } }, 'authUnknownKey'],
  ['another key of this number', { with: other }, 'authWrong'],
  ['a changed priority', { change: (b) => (b[2] = 0) }, 'authWrong'],
  ['a changed number', { change: (b) => (b[trailerAt(b, 11)] = 1) }, 'authWrong'],
  ['an old time under another key', { with: other, at: addTime(now, seconds(9)) }, 'authStale'],
  ['a clock ahead', { at: addTime(now, seconds(5.1)) }, 'clockSkew'],
  ['a clock behind', { at: microseconds(now - seconds(5.1)) }, 'clockSkew'],
  ['a clock ahead within the window', { at: addTime(now, seconds(4.9)) }, 'signed'],
])('%s: %s', (_name, sent, expected) => {
  expect(new Node().hear(sent)).toBe(expected);
});

test('each number counts once, and an older one never', () => {
  const node = new Node();
  expect(node.hear()).toBe('signed');
  expect(node.hear()).toBe('authReplay');
  expect(node.hear({ at: microseconds(now - seconds(1)) })).toBe('authReplay');
  expect(node.hear({ number: numberAt(now) + 1n })).toBe('signed');
});

test('monotonic: no clock is asked, and a replay is refused all the same', () => {
  const node = new Node({ ...hmac, antiReplay: 'monotonic' });
  expect(node.hear({ at: seconds(1_000) })).toBe('signed');
  expect(node.hear({ at: seconds(999) })).toBe('authReplay');
  expect(node.hear({ at: addTime(now, seconds(86_400)) })).toBe('signed');
  expect(node.hear()).toBe('authReplay');
});

test('a late number is that of a clock once; sent again it is an old one', () => {
  const node = new Node();
  const later = addTime(now, seconds(60));
  expect(node.hear({}, later)).toBe('clockSkew');
  expect(node.hear({}, later)).toBe('authStale');
  expect(node.hear({ at: addTime(now, seconds(1)) }, later)).toBe('clockSkew');
});

test('what was accepted before and comes again outside the window is an old one, no clock', () => {
  const node = new Node();
  expect(node.hear()).toBe('signed');
  expect(node.hear({}, addTime(now, seconds(60)))).toBe('authStale');
});

test('numbers are kept by sender, of a group for the four that were heard last', () => {
  const node = new Node();
  const senders = ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'];
  for (const from of senders) expect(node.hear({ from })).toBe('signed');
  for (const from of senders) expect(node.hear({ from })).toBe('authReplay');
  expect(node.hear({ from: '10.0.0.6' })).toBe('signed');
  expect(node.hear({ from: '10.0.0.3' })).toBe('authReplay');
  expect(Object.keys(node.verifier.accepted)).toHaveLength(4);
});

test('a forger takes no place among the senders', () => {
  const node = new Node();
  expect(node.hear()).toBe('signed');
  for (let i = 10; i < 60; i++) node.hear({ from: `10.0.0.${i}`, with: other });
  expect(Object.keys(node.verifier.accepted)).toEqual(['10.0.0.2 A']);
});

test('unicast: configured peers alone have numbers', () => {
  const peers = ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.7'];
  const unicastPeers = peers.map((address) => ({ address: ip(address) }));
  const node = new Node(hmac, instanceSettings({ unicastPeers }));
  for (const from of [...peers, '10.0.0.99']) node.hear({ from });
  expect(Object.keys(node.verifier.accepted)).toEqual(peers.map((address) => `${address} A`));
  for (const from of peers) expect(node.hear({ from })).toBe('authReplay');
});

test('numbers of an earlier life are refused', () => {
  const before = new Node({ ...hmac, antiReplay: 'monotonic' });
  before.hear();
  const after = new Node(before.settings, instance, before.verifier.accepted);
  expect(after.hear()).toBe('authReplay');
  after.verifier.forget('A');
  expect(after.hear()).toBe('signed');
});

test('a rotation: both keys are accepted, and a key that was removed no more', () => {
  const second = { id: 2, secret: other.secret };
  const both = new Node({ ...hmac, keys: [key, second] });
  expect(both.hear()).toBe('signed');
  expect(both.hear({ with: second, number: numberAt(now) + 1n })).toBe('signed');
  expect(new Node({ ...hmac, keys: [second], activeKeyId: 2 }).hear()).toBe('authUnknownKey');
});

test('no text about a trailer has a byte of the key', () => {
  const texts = [{ with: other }, { with: { ...key, id: 9 } }, { at: seconds(5) }].map((sent) => {
    const proof = new AdvertVerifier().examine(instance, hmac, datagram(sent), now);
    return proof.kind === 'refused' ? proof.text : '';
  });
  expect(texts.join('\n')).toContain(key.secret.fingerprint);
  expect(texts.join('\n')).not.toContain('0101');
});
