/** Who is the peer on a multicast link, and what is remembered of those who are not. */
import { ipEquals, parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { microseconds, seconds } from '../../../src/base/time.js';
import { LinkSources } from '../../../src/sync/links/linkSources.js';
import { refusals, RefusedSenders } from '../../../src/sync/links/refusedSenders.js';
import { StreamGuard } from '../../../src/sync/links/streamGuard.js';
import { linkOf } from '../../support/sync/node.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const group = linkOf({
  kind: 'multicast',
  local: '127.0.0.1',
  destination: '224.0.0.50',
  interfaceName: 'lo',
});

function sourcesOf(multicastPeers?: readonly IpAddress[], isMultihop = false) {
  const state = { now: seconds(1), lines: [] as unknown[], isSealed: false };
  const sources = new LinkSources({
    acceptAny: false,
    isMultihop,
    isPeerSealed: () => state.isSealed,
    ...(multicastPeers === undefined ? {} : { multicastPeers }),
    clock: { now: () => state.now, wallClock: () => state.now },
    logger: { log: (_level, _message, fields) => state.lines.push(fields) },
  });
  const isTaken = (address: string): boolean => {
    const origin = { source: ip(address), port: 40_000, arrival: { ttl: 255 } };
    const isAdmitted = sources.admits(group, 'sync', origin);
    if (isAdmitted) sources.heard(group, 'sync', origin);
    return isAdmitted;
  };
  return { state, sources, isTaken };
}

test('in a group four of the network may speak; a fifth when one of them has long been silent', () => {
  const { state, sources, isTaken } = sourcesOf();
  expect(isTaken('198.51.100.1')).toBe(false);
  for (let i = 1; i <= 4; i++) expect(isTaken(`127.0.0.${i}`)).toBe(true);
  expect(isTaken('127.0.0.5')).toBe(false);
  expect(isTaken('127.0.0.4')).toBe(true);
  expect(sources.refused.counts).toEqual({ address: 1, senders: 1 });
  state.now = seconds(60);
  for (let i = 1; i <= 3; i++) isTaken(`127.0.0.${i}`);
  state.now = seconds(61);
  expect(isTaken('127.0.0.5')).toBe(true);
  expect(isTaken('127.0.0.4')).toBe(false);
});

test('peer_multihop: the TTL of what arrives says nothing', () => {
  const { sources, isTaken } = sourcesOf(undefined, true);
  expect(isTaken('127.0.0.1')).toBe(true);
  const far = { source: ip('127.0.0.1'), port: 40_000, arrival: { ttl: 61 } };
  expect(sources.admits(group, 'sync', far)).toBe(true);
});

test('a peer that speaks from a port below 1024 is not heard from a higher one', () => {
  const { state, sources } = sourcesOf();
  const from = (port: number) => ({ source: ip('127.0.0.1'), port, arrival: { ttl: 255 } });
  const isTaken = (port: number): boolean => {
    const isAdmitted = sources.admits(group, 'peer', from(port));
    if (isAdmitted) sources.heard(group, 'peer', from(port));
    return isAdmitted;
  };
  // An older keepstate's.
  expect(isTaken(40_000)).toBe(true);
  expect(isTaken(700)).toBe(true);
  expect(isTaken(1_024)).toBe(false);
  expect(isTaken(1_023)).toBe(true);
  expect(sources.refused.counts).toEqual({ port: 1 });
  // On the replication's own port any is taken: a conntrackd's are no others.
  expect(sources.admits(group, 'sync', from(40_000))).toBe(true);
  // The node went back to an older version.
  state.now = seconds(12);
  expect(isTaken(40_000)).toBe(true);
});

test('a conntrackd at the address of a keepstate that went is heard when that is silent for 10 s', () => {
  const { state, sources, isTaken } = sourcesOf();
  const isTakenWith = (ttl: number): boolean => {
    const origin = { source: ip('127.0.0.1'), port: 40_000, arrival: { ttl } };
    const isAdmitted = sources.admits(group, 'sync', origin);
    if (isAdmitted) sources.heard(group, 'sync', origin);
    return isAdmitted;
  };
  expect(isTaken('127.0.0.1')).toBe(true);
  state.now = seconds(10);
  expect(isTakenWith(64)).toBe(false);
  state.now = seconds(11);
  expect(isTakenWith(64)).toBe(true);
  expect(isTakenWith(64)).toBe(true);
  // And the way back.
  expect(isTaken('127.0.0.1')).toBe(true);
  expect(isTakenWith(64)).toBe(false);
  expect(sources.refused.counts).toEqual({ ttl: 2 });
});

test('a peer that has shown a key is never one behind a router, however long it was silent', () => {
  const { state, sources, isTaken } = sourcesOf();
  expect(isTaken('127.0.0.1')).toBe(true);
  state.isSealed = true;
  state.now = seconds(100_000);
  const far = { source: ip('127.0.0.1'), port: 40_000, arrival: { ttl: 64 } };
  expect(sources.admits(group, 'sync', far)).toBe(false);
});

test('the TTL of its unicast says nothing of what it sends to a group, nor the other way', () => {
  const { sources } = sourcesOf();
  const unicast = linkOf({
    ...{ kind: 'udp', local: '127.0.0.1', destination: '127.0.0.2', interfaceName: 'lo' },
  });
  const from = (ttl: number) => ({ source: ip('127.0.0.2'), port: 700, arrival: { ttl } });
  sources.heard(unicast, 'peer', from(255));
  expect(sources.admits(group, 'sync', from(1))).toBe(true);
  expect(sources.admits(unicast, 'peer', from(64))).toBe(false);
  sources.heard(group, 'sync', from(255));
  expect(sources.admits(group, 'sync', from(1))).toBe(false);
});

test('where sync_peer names them, exactly those may speak', () => {
  const { sources, isTaken } = sourcesOf([ip('192.0.2.7')]);
  expect(isTaken('127.0.0.2')).toBe(false);
  expect(isTaken('192.0.2.7')).toBe(true);
  expect(sources.isNamed(group, ip('192.0.2.7'))).toBe(true);
  expect(sourcesOf().sources.isNamed(group, ip('127.0.0.1'))).toBe(false);
});

test('of a flood from everywhere all is counted, eight are named, and a line a minute is logged', () => {
  const { state, sources } = sourcesOf();
  for (let i = 0; i < 100_000; i++) {
    const source = ip(`198.51.${(i >> 8) & 255}.${i & 255}`);
    sources.admits(group, 'peer', { source, port: 1, arrival: { ttl: 64 } });
  }
  expect(sources.refused).toMatchObject({ total: 100_000, counts: { address: 100_000 } });
  expect(sources.refused.named).toHaveLength(8);
  expect(state.lines).toHaveLength(1);
  expect(state.lines[0]).toMatchObject({ reason: refusals.address.because, port: 'peer' });
  state.now = seconds(62);
  sources.admits(group, 'peer', { source: ip('198.51.0.1'), port: 1 });
  expect(state.lines).toHaveLength(2);
});

test('one that comes again is named once, with its count, the latest last', () => {
  const refused = new RefusedSenders({ log: () => undefined });
  const from = (address: string): void => {
    const reason = 'address';
    refused.note({ source: ip(address), reason, door: 'sync', interfaceName: 'a' }, seconds(1));
  };
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) from(address);
  expect(refused.named).toMatchObject([
    { address: '192.0.2.2', count: 1 },
    { address: '192.0.2.1', count: 2 },
  ]);
});

describe('of several sockets that speak for the peer', () => {
  const source = ip('192.0.2.2');
  const alive = (): boolean => false;
  const nobody = (): boolean => false;
  const at = (tenths: number) => microseconds(tenths * 100_000);
  const speaker = (port: number) => ({ link: 0, source, port });

  test('one that restarted is taken when the old one has been silent for two seconds, and is no pretender', () => {
    const guard = new StreamGuard();
    expect(guard.admits(speaker(1), alive, nobody, at(0))).toBe(true);
    expect(guard.heard(speaker(1), at(0))).toBeUndefined();
    for (let tenths = 1; tenths < 20; tenths++) {
      expect(guard.admits(speaker(2), alive, nobody, at(tenths))).toBe(false);
    }
    expect(guard.admits(speaker(2), alive, nobody, at(20))).toBe(true);
    expect(guard.heard(speaker(2), at(20))).toBeUndefined();
    expect(guard.admits(speaker(1), alive, nobody, at(21))).toBe(false);
  });

  test('a late datagram of the old one does not make the new one a pretender', () => {
    const guard = new StreamGuard();
    guard.heard(speaker(1), at(0));
    guard.admits(speaker(2), alive, nobody, at(5));
    expect(guard.heard(speaker(1), at(6))).toBeUndefined();
    expect(guard.heard(speaker(1), at(15))).toMatchObject({ port: 2, count: 1 });
  });

  describe('on other hosts of the group', () => {
    const third = { link: 0, source: ip('192.0.2.3'), port: 1 };
    const isPeer = (address: IpAddress): boolean => ipEquals(address, source);

    test('the node of the cluster takes the stream at once, and keeps it when it is silent', () => {
      const guard = new StreamGuard();
      guard.heard(third, at(0));
      expect(guard.admits(speaker(1), alive, nobody, at(1))).toBe(false);
      expect(guard.admits(speaker(1), alive, isPeer, at(1))).toBe(true);
      expect(guard.isOtherHost(speaker(1))).toBe(true);
      guard.heard(speaker(1), at(1));
      expect(guard.isOtherHost(speaker(2))).toBe(false);
      for (const tenths of [2, 30, 700, 100_000]) {
        expect(guard.admits(third, alive, isPeer, at(tenths))).toBe(false);
      }
      expect(guard.admits(speaker(2), alive, isPeer, at(100_001))).toBe(true);
    });

    test('of two of which nothing is known the other waits for a minute of silence', () => {
      const guard = new StreamGuard();
      guard.heard(speaker(1), at(0));
      expect(guard.admits(third, alive, nobody, at(599))).toBe(false);
      expect(guard.admits(third, alive, nobody, at(600))).toBe(true);
    });
  });
});
