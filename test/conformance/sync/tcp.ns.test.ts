/**
 * A TCP link between keepstate and a real conntrackd 1.4.7 meets what streams meet: the path is
 * dead for a while, connections are reset, bytes go missing because conntrackd takes a short write
 * for success, a stranger connects.
 */
import { ConntrackInjector } from '../../support/conntrack/ctInjector.js';
import { createUdpFlows } from '../../support/sync/flows.js';
import { MixedPair } from '../../support/sync/mixedPair.js';
import { waitFor } from '../../lab/waitFor.js';
import type { Host } from '../../lab/host.js';

jest.setTimeout(300_000);

const peerPort = 'tcp dport 3780';

function inject(host: Host, count: number): void {
  const injector = ConntrackInjector.open(host.namespacePath);
  injector.inject({ count, action: 'create', timeoutSeconds: 3_000 });
  injector.close();
}

describe('FTFW over a TCP link that fails', () => {
  let pair: MixedPair;

  beforeAll(async () => {
    pair = await MixedPair.start({ mode: 'FTFW', kind: 'tcp', family: 4 });
    await createUdpFlows(pair.a, 50, 20);
    await createUdpFlows(pair.b, 60, 20);
    await pair.agree(20, 20);
  });

  afterAll(async () => {
    await pair.close();
  });

  async function bothEnded(): Promise<void> {
    await waitFor(async () => {
      await pair.keepstate.request({ verb: 'stats' });
      const [link] = pair.keepstate.status?.links ?? [];
      return link?.isSending === false && link.isReceiving === false;
    });
  }

  test('a path that is dead until both connections were given up', async () => {
    for (const host of [pair.a, pair.b]) await host.loseInput(100, 'meta l4proto tcp');
    await createUdpFlows(pair.a, 50, 10, 100);
    await createUdpFlows(pair.b, 60, 10, 100);
    await pair.a.exec('conntrack -D -p udp -s 192.168.50.20 --sport 100'.split(' '));
    await bothEnded();
    for (const host of [pair.a, pair.b]) await host.loseInput(0);
    await pair.agree(29, 30, { timeout: 60_000 });
  });

  test('connections that are reset come again, and nothing is missing', async () => {
    for (const host of [pair.a, pair.b]) {
      await host.nft(
        'table inet lab_reset { chain input { type filter hook input priority 0; ' +
          `${peerPort} reject with tcp reset; }; }\n`,
      );
    }
    await createUdpFlows(pair.a, 50, 10, 200);
    await createUdpFlows(pair.b, 60, 10, 200);
    await bothEnded();
    for (const host of [pair.a, pair.b]) await host.nft('delete table inet lab_reset\n');
    await pair.agree(39, 40);
    const network = await pair.conntrackd.client('-s', 'network');
    expect(network).toContain('server=connected client=connected');
  });

  test('a stranger is counted and closed, and the true peer goes on', async () => {
    await pair.b.ip('addr add 198.51.100.66/32 dev sync');
    await pair.a.ip('route add 198.51.100.66/32 dev sync');
    await pair.b.exec([
      'node',
      '-e',
      `const s = require('node:net').connect({ host: '10.99.0.1', port: 3780, localAddress: '198.51.100.66' });
       s.on('error', () => {}); s.on('close', () => process.exit(0)); s.write(Buffer.alloc(1000, 0x1a));`,
    ]);
    await createUdpFlows(pair.b, 60, 1, 300);
    await pair.agree(39, 41);
    await pair.keepstate.request({ verb: 'stats' });
    expect(pair.keepstate.status?.peer).toMatchObject({
      strangers: 1,
      lastStranger: '198.51.100.66',
      malformed: 0,
    });
  });
});

describe('a conntrackd whose send buffer is too small', () => {
  let pair: MixedPair;

  afterAll(async () => {
    await pair.close();
  });

  test('tears its stream, and both sides hold the same in the end', async () => {
    pair = await MixedPair.start({
      mode: 'FTFW',
      kind: 'tcp',
      family: 4,
      sendBufferBytes: 4_096,
    });
    inject(pair.b, 20_000);
    await pair.conntrackd.client('-B');
    await pair.agree(0, 20_000, { timeout: 120_000 });
    const endings = pair.keepstate
      .reports('log')
      .filter(({ message }) => message === 'sync link disconnected')
      .map(({ fields }) => fields['reason']);
    expect(endings).toContain('the stream was out of step');
  });
});
