/** The roles of a node in its hello. */
import { microseconds, seconds } from '../../../src/base/time.js';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from '../../../src/sync/wire/peerMessage.js';
import { fromWireRoles, toWireRoles, type NodeRoles } from '../../../src/sync/wire/peerRoles.js';

const now = seconds(1_000);
const roles: NodeRoles = {
  bound: 'G1',
  units: [
    { name: 'LONE', vrid: 9, state: 'FAULT', since: seconds(999), priority: 100 },
    { name: 'G1', vrid: 51, state: 'MASTER', since: seconds(990), priority: 150 },
  ],
};
const hello = (more: object): PeerMessage => ({
  ...{ kind: 'hello', name: 'p', version: '1', heard: true },
  ...more,
});
const received = (more: object): PeerMessage | undefined =>
  decodePeerMessage(encodePeerMessage(hello(more)));

describe('roles in a hello', () => {
  test('arrive as they were said, with times of the receiver, the bound unit first', () => {
    const message = received({ roles: toWireRoles(roles, now) });
    if (message?.kind !== 'hello' || message.roles === undefined) throw new Error('no roles');
    expect(message.roles).toEqual({
      bound: 'G1',
      units: [
        { name: 'G1', vrid: 51, state: 'MASTER', forMs: 10_000, priority: 150 },
        { name: 'LONE', vrid: 9, state: 'FAULT', forMs: 1_000, priority: 100 },
      ],
    });
    expect(fromWireRoles(message.roles, seconds(50)).units[0]?.since).toBe(seconds(40));
  });

  test('of 500 instances fit into what an older keepstate receives, and the rest is counted', () => {
    const units = Array.from({ length: 500 }, (_unused, i) => ({
      ...{ name: `\u00e9${'x'.repeat(60)}${i}`, vrid: 255, state: 'BACKUP' as const },
      ...{ since: microseconds(0), priority: 254 },
    }));
    const sent = toWireRoles({ units }, seconds(4_000_000));
    const name = 'n'.repeat(63);
    const datagram = encodePeerMessage(
      hello({ name, version: '10.10.10', maintenance: true, roles: sent }),
    );
    expect(datagram.length).toBeLessThanOrEqual(1_024 - 100);
    expect(sent.units.length).toBeGreaterThan(2);
    expect(sent.more).toBe(500 - sent.units.length);
  });

  test('that are no roles make it no hello; a unit that is none is left out', () => {
    expect(received({ roles: 7 })).toBeUndefined();
    expect(received({ roles: { units: 'all' } })).toBeUndefined();
    expect(received({ roles: { units: [], bound: 1 } })).toBeUndefined();
    const good = { name: 'A\u001b[2J', vrid: 1, state: 'MASTER', forMs: 5, priority: 1 };
    const bad = [null, 3, {}, { ...good, state: 'LORD' }, { ...good, forMs: -1 }];
    expect(fromWireRoles({ units: [...bad, good] }, now).units).toEqual([
      expect.objectContaining({ name: 'A?[2J', state: 'MASTER' }),
    ]);
    expect(
      fromWireRoles({ units: Array.from({ length: 99 }, () => good) }, now).units,
    ).toHaveLength(16);
  });

  test('are absent in the hello of an older keepstate, which is understood', () => {
    expect(received({})).toEqual(hello({}));
  });
});
