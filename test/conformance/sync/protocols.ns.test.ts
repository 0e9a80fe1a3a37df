/**
 * Flows of every protocol beside a real conntrackd 1.4.7, both directions, over every transport and
 * mode.
 */
import { MixedPair, type MixedPairOptions } from '../../support/sync/mixedPair.js';
import { createTellableFlows, createUntellableFlows } from '../../support/sync/flows.js';
import { waitFor } from '../../lab/waitFor.js';

jest.setTimeout(300_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const every: readonly MixedPairOptions[] = (['FTFW', 'NOTRACK', 'ALARM'] as const).flatMap((mode) =>
  (['udp', 'multicast'] as const).flatMap((kind) =>
    ([4, 6] as const).map((family) => ({ mode, kind, family })),
  ),
);
/** Each mode, each transport and each family once. */
const few: readonly MixedPairOptions[] = [
  { mode: 'FTFW', kind: 'udp', family: 4 },
  { mode: 'FTFW', kind: 'multicast', family: 6 },
  { mode: 'NOTRACK', kind: 'udp', family: 6 },
  { mode: 'ALARM', kind: 'multicast', family: 4 },
];

describe.each(isFull ? every : few)('$mode over $kind, IPv$family', (options) => {
  let pair: MixedPair;

  beforeAll(async () => {
    pair = await MixedPair.start(options);
  });

  afterAll(async () => {
    await pair.close();
  });

  test('flows of every protocol are told both ways: created, updated, destroyed', async () => {
    const count = await createTellableFlows(pair.a, 50);
    await createTellableFlows(pair.b, 60);
    await pair.agree(count, count);
    for (const [host, base] of [
      [pair.a, 50],
      [pair.b, 60],
    ] as const) {
      const mine = `-s 192.168.${base}.10`;
      for (const change of [
        `-U -p tcp ${mine} --sport 40000 -m 1234`,
        `-U -p tcp ${mine} --sport 40004 --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 900`,
        `-U -p tcp -s 2001:db8:${base}::1 --sport 6002 -m 99`,
        `-D -p udp ${mine}`,
        `-D -p icmp ${mine}`,
        `-D -p sctp ${mine}`,
        `-D -f ipv6 -p udp -s 2001:db8:${base}::1`,
      ]) {
        await host.exec(['conntrack', ...change.split(' ')]);
      }
    }
    await waitFor(async () => {
      const { ours, theirs } = await pair.agree(count - 4, count - 4);
      for (const lines of [ours, theirs]) {
        const text = lines.join('\n');
        return (
          text.includes('mark=1234') && text.includes('mark=99') && !text.includes('SYN_SENT')
        );
      }
      return false;
    });
    await pair.expectNothingLost();
  });

  test('UDP-Lite ports and GRE keys are told to conntrackd, which tells neither', async () => {
    const before = await pair.agreement();
    await createUntellableFlows(pair.a, 50);
    await createUntellableFlows(pair.b, 60);
    await waitFor(async () => {
      const found = await pair.agreement();
      expect(found.oursAtPeer).toHaveLength(before.ours.length + 2);
      expect(found.oursAtPeer).toEqual(found.ours);
      expect(found.theirsHere).toHaveLength(before.theirs.length + 2);
      expect(found.theirsHere.map(withoutPorts)).toEqual(found.theirs.map(withoutPorts));
      return true;
    });
    await pair.expectNothingLost();
  });
});

function withoutPorts(line: string): string {
  return /^(gre|udplite) /.test(line)
    ? line.replace(/(srckey|dstkey|sport|dport)=\S+ ?/g, '').trim()
    : line;
}
