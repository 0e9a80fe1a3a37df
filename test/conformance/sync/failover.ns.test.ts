/**
 * Two links between keepstate and a real conntrackd 1.4.7: both go on over the other one when one
 * fails.
 */
import { mkdirSync } from 'node:fs';
import { Conntrackd } from '../../lab/conntrackd.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { everyProtocolConfig } from '../../support/sync/conntrackdConfig.js';
import { createUdpFlows } from '../../support/sync/flows.js';
import { cableTwice, twoLinks, type LinkKind } from '../../support/sync/linkPair.js';
import { linesOf } from '../../support/sync/mixedPair.js';
import { settingsOf, SyncNode } from '../../support/sync/node.js';
import type { SyncMode } from '../../../src/sync/settings.js';

jest.setTimeout(300_000);

type Case = readonly [SyncMode, LinkKind];

const cases: readonly Case[] = [
  ['FTFW', 'udp'],
  ['FTFW', 'tcp'],
  ['NOTRACK', 'tcp'],
  ...(process.env['KEEPSTATE_FULL'] === '1'
    ? ([
        ['NOTRACK', 'udp'],
        ['FTFW', 'multicast'],
        ['NOTRACK', 'multicast'],
      ] as const)
    : []),
];

describe.each(cases)('%s over two links of kind %s', (mode, kind) => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let keepstate: SyncNode;
  let conntrackd: Conntrackd;
  let count = 0;

  beforeAll(async () => {
    lab = await Lab.open();
    [a, b] = await cableTwice(lab);
    const [first, ...moreLinks] = twoLinks(kind, 2);
    if (first === undefined) throw new Error('no link');
    const ignored = ['127.0.0.1', ...[1, 2].flatMap((n) => [`10.99.${n}.1`, `10.99.${n}.2`])];
    const directory = b.path('conntrackd');
    mkdirSync(directory);
    conntrackd = await Conntrackd.startWithConfig(
      b,
      everyProtocolConfig({ mode, ...first, moreLinks, ignored }, directory),
      directory,
    );
    keepstate = await SyncNode.start(a, settingsOf(twoLinks(kind, 1), { mode }), true);
  });

  afterAll(async () => {
    await lab.close();
  });

  /** New flows on both sides arrive at the other. */
  async function goesOn(): Promise<void> {
    await createUdpFlows(a, 50, 10, 1 + count);
    await createUdpFlows(b, 60, 10, 1 + count);
    count += 10;
    await waitFor(
      async () => {
        const ours = await keepstate.list('internal', false);
        const theirs = linesOf(await conntrackd.entries('internal'));
        expect(linesOf(await conntrackd.entries('external'))).toEqual(ours);
        expect(await keepstate.list('external', true)).toEqual(theirs);
        expect([ours.length, theirs.length]).toEqual([count, count]);
        return true;
      },
      { description: 'both sides to agree', timeout: 60_000 },
    );
  }

  async function bothUse(interfaceName: string): Promise<void> {
    await waitFor(
      async () => {
        await keepstate.request({ verb: 'stats' });
        const ours = keepstate.status?.links.find(({ isActive }) => isActive);
        const theirs = await conntrackd.client('-s', 'link');
        const line = theirs.split('\n').find((text) => text.includes('role=ACTIVE'));
        return (
          ours?.interfaceName === interfaceName && line?.includes(`device=${interfaceName} `)
        );
      },
      { description: `both to use ${interfaceName}` },
    );
  }

  test('both begin on the default link', async () => {
    await bothUse('sync2');
    await goesOn();
  });

  test('conntrackd’s side is set down: keepstate loses carrier', async () => {
    await b.ip('link set sync2 down');
    await goesOn();
    await bothUse('sync1');
  });

  test('the first link is back: nobody returns to it', async () => {
    await b.ip('link set sync2 up');
    await goesOn();
    await bothUse('sync1');
  });

  test('keepstate’s side is set down: conntrackd loses carrier', async () => {
    await a.ip('link set sync1 down');
    await goesOn();
    await bothUse('sync2');
    await a.ip('link set sync1 up');
  });

  test('conntrackd is not heard although there is carrier: keepstate leads it over', async () => {
    await a.loseInput(100, 'iifname "sync2"');
    await goesOn();
    await bothUse('sync1');
    await a.loseInput(0);
  });
});
