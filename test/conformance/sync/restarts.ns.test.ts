/**
 * Either side of a pair with a real conntrackd 1.4.7 ends, flows come and go meanwhile, and it is
 * started again.
 */
import { createUdpFlows } from '../../support/sync/flows.js';
import { MixedPair } from '../../support/sync/mixedPair.js';
import type { SyncMode } from '../../../src/sync/settings.js';

jest.setTimeout(300_000);

type Case = readonly [SyncMode, 'udp' | 'tcp'];

const cases: readonly Case[] =
  process.env['KEEPSTATE_FULL'] === '1'
    ? (['FTFW', 'NOTRACK', 'ALARM'] as const).flatMap((mode): Case[] => [
        [mode, 'udp'],
        [mode, 'tcp'],
      ])
    : [
        ['FTFW', 'udp'],
        ['FTFW', 'tcp'],
        ['NOTRACK', 'udp'],
      ];

describe.each(cases)('restarts in %s over %s', (mode, kind) => {
  let pair: MixedPair;

  beforeAll(async () => {
    pair = await MixedPair.start({ mode, kind, family: 4 });
    await createUdpFlows(pair.a, 50, 20);
    await createUdpFlows(pair.b, 60, 20);
    await pair.agree(20, 20);
  });

  afterAll(async () => {
    await pair.close();
  });

  test('a killed conntrackd is told everything when it is back, unasked, and keepstate asks it', async () => {
    await pair.conntrackd.process.kill();
    await createUdpFlows(pair.a, 50, 5, 100);
    await createUdpFlows(pair.b, 60, 5, 100);
    await pair.startConntrackd();
    await pair.agree(25, 25);
  });

  test('a stopped conntrackd forgets what ended meanwhile', async () => {
    await pair.conntrackd.stop();
    await pair.a.exec('conntrack -D -p udp -s 192.168.50.20 --sport 100'.split(' '));
    await pair.startConntrackd();
    await pair.agree(24, 25);
  });

  test('a killed keepstate is whole when it is back, and conntrackd has what came meanwhile', async () => {
    await pair.keepstate.process.kill();
    await createUdpFlows(pair.a, 50, 5, 200);
    await createUdpFlows(pair.b, 60, 5, 200);
    await pair.startKeepstate();
    await pair.agree(29, 30);
    await createUdpFlows(pair.a, 50, 1, 300);
    await createUdpFlows(pair.b, 60, 1, 300);
    await pair.agree(30, 31);
    await pair.expectNothingMalformed();
  });
});
