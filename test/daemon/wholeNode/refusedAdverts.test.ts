/** Each thing that can be wrong with an advertisement is a problem of its own code in `status`. */
import { microseconds, seconds } from '../../../src/base/time.js';
import { instanceProblems } from '../../../src/daemon/status/problems.js';
import type { VrrpDatagram } from '../../../src/net/ports.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import { encodeAdvert, type AdvertV2 } from '../../../src/vrrp/wire/packet.js';
import type { ComplaintReason } from '../../../src/vrrp/machine/advertProblems.js';
import { Secret } from '../../../src/base/secret.js';
import { encodeTrailer } from '../../../src/vrrp/auth/trailer.js';
import type { RouterOptions } from '../../../src/vrrp/routerPorts.js';
import type { HmacSettings, InstanceSettings } from '../../../src/vrrp/settings.js';
import { RouterHarness, vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings, ip, password, vip } from '../../support/vrrp/settings.js';

const source = ip('10.0.0.2');
const peer = { address: source, minTtl: 250, maxTtl: 255 };

interface Given {
  readonly ours?: Partial<InstanceSettings>;
  readonly theirs?: Partial<InstanceSettings>;
  readonly advert?: Partial<AdvertV2>;
  readonly datagram?: Partial<VrrpDatagram>;
  readonly payload?: (bytes: Uint8Array) => Uint8Array;
  readonly priority?: number;
}

/** Codes of the problems of a MASTER that received this. */
async function codesAfter(given: Given, options: Partial<RouterOptions> = {}): Promise<string[]> {
  const settings = instanceSettings({ virtualAddresses: [vip('10.0.0.100')], ...given.ours });
  const harness = new RouterHarness(vrrpSettings([settings]), options);
  await harness.router.start();
  await harness.time.advance(seconds(5));
  const from = given.datagram?.source ?? source;
  const destination = given.datagram?.destination ?? settings.multicastGroup;
  const theirs = { ...settings, ...given.theirs };
  // The instance speaks version 2 unless a case says otherwise.
  const advert = { ...advertOf(theirs, given.priority ?? 90), ...given.advert } as AdvertV2;
  const bytes = encodeAdvert(advert, { source: from, destination });
  const payload = given.payload?.(bytes) ?? bytes;
  const whole = { ttl: 255, totalLength: payload.length + 20, payload };
  harness.network.sockets[0]?.deliver({ source: from, destination, ...whole, ...given.datagram });
  await harness.time.advance(microseconds(1));
  const [instance] = harness.router.snapshot().instances;
  if (instance === undefined) throw new Error('there is one instance');
  return instanceProblems(instance, harness.time.wallClock()).map(({ code }) => code);
}

const flipped = (bytes: Uint8Array, at: number, mask: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ mask : byte));
const unicast = { unicastPeers: [peer] };
const toUs = { destination: ip('10.0.0.1') };

const secret = new Secret(new Uint8Array(32).fill(1));
const wrong = { id: 1, secret: new Secret(new Uint8Array(32).fill(2)) };
const hmac: HmacSettings = {
  keys: [{ id: 1, secret }],
  activeKeyId: 1,
  antiReplay: 'time',
  timeWindow: seconds(5),
  mode: 'enforce',
};

/** The harness's clock at its start, in seconds since 1970. */
const start = 1_767_225_600;

/** `bytes` with a trailer whose number is `at` seconds after that. */
const signed =
  (key: { readonly id: number; readonly secret: Secret }, at = 5) =>
  (bytes: Uint8Array): Uint8Array => {
    const trailer = encodeTrailer({ advert: bytes, source }, key, BigInt(start + at) << 32n);
    return Uint8Array.from([...bytes, ...trailer]);
  };
const right = { id: 1, secret };
const ours = { hmac };

const cases: readonly (readonly [ComplaintReason, Given])[] = [
  [
    'authHmac',
    { payload: (bytes) => Uint8Array.from([...bytes, 1, ...Array<number>(27).fill(0)]) },
  ],
  ['authMissing', { ours }],
  ['authMalformed', { ours, payload: (bytes) => flipped(signed(right)(bytes), 20, 0x80) }],
  ['authStale', { ours, payload: signed(wrong, 500) }],
  ['authUnknownKey', { ours, payload: signed({ id: 2, secret }) }],
  ['authWrong', { ours, payload: signed(wrong) }],
  ['clockSkew', { ours, payload: signed(right, 500) }],
  ['noAddress', { ours: { version: 3 }, theirs: { version: 3, virtualAddresses: [] } }],
  ['length', { payload: (bytes) => bytes.subarray(0, bytes.length - 4) }],
  ['ttl', { datagram: { ttl: 254 } }],
  ['version', { payload: (bytes) => flipped(bytes, 0, 0x10) }],
  ['invalidAuthenticationType', { advert: { authenticationType: 9 } }],
  ['authenticationType', { theirs: { authentication: password('x') } }],
  [
    'password',
    { ours: { authentication: password('a') }, theirs: { authentication: password('b') } },
  ],
  ['interval', { theirs: { advertInterval: seconds(3) } }],
  ['packetType', { advert: { type: 2 } }],
  ['totalLength', { datagram: { totalLength: 21 } }],
  ['checksum', { payload: (bytes) => flipped(bytes, 6, 0xff) }],
  ['destination', { datagram: toUs }],
  ['addressCount', { theirs: { virtualAddresses: [vip('10.0.0.100'), vip('10.0.0.101')] } }],
  ['addressList', { theirs: { virtualAddresses: [vip('10.0.0.101')] } }],
  ['unicastSource', { ours: unicast, datagram: { ...toUs, source: ip('10.0.0.3') } }],
  ['unicastTtl', { ours: unicast, datagram: { ...toUs, ttl: 1 } }],
  ['ownAddress', { datagram: { source: ip('10.0.0.1') } }],
  ['twoAddressOwners', { ours: { priority: 255 }, priority: 255 }],
];

test.each(cases)('%s', async (reason, given) => {
  expect(await codesAfter(given)).toContain(reason);
});

test('authReplay', async () => {
  const signedNumbers = { heard: { '10.0.0.2 A': BigInt(start + 5) << 32n } };
  const codes = await codesAfter({ ours, payload: signed(right) }, { signedNumbers });
  expect(codes).toContain('authReplay');
});

test('a signed advertisement that is right is no problem', async () => {
  expect(await codesAfter({ ours, payload: signed(right) })).toEqual([]);
});

test('an advertisement that is right is no problem', async () => {
  expect(await codesAfter({})).toEqual([]);
});

test('a setting that does nothing is one too: nopreempt beside state MASTER', async () => {
  expect(await codesAfter({ ours: { nopreemptDisarmed: true } })).toEqual(['nopreemptDisarmed']);
});
