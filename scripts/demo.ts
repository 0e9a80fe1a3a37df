/**
 * The story of `./demo`: two nodes, live connections, a power cut. Runs on the tests' laboratory.
 */
import { statusText } from '../src/cli/statusText.js';
import { historyText } from '../src/cli/historyText.js';
import { KeepstateNode } from '../test/support/daemon/keepstateNode.js';
import { pairConfig } from '../test/support/daemon/pairConfig.js';
import { firewallPair, pairAddresses } from '../test/lab/firewallPair.js';
import { Lab } from '../test/lab/lab.js';
import { startServer, startTcp, startUdpProbe } from '../test/lab/traffic.js';

const look = { colour: process.stdout.isTTY, columns: 80 };
const started = Date.now();

function tell(text: string): void {
  const at = ((Date.now() - started) / 1000).toFixed(1).padStart(5);
  process.stdout.write(`[${at} s] ${text}\n`);
}

function show(title: string, text: string): void {
  const indented = text.trimEnd().replaceAll(/^/gm, '    ');
  process.stdout.write(`\n  $ ${title}\n\n${indented}\n\n`);
}

async function showStatus(node: KeepstateNode): Promise<void> {
  show(
    `keepstate status   # on ${node.host.name}`,
    statusText(await node.status(), Date.now(), look),
  );
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const isClean = words.includes('--clean');
  const count = Number(words[words.indexOf('--connections') + 1] ?? 50) || 50;
  const lab = await Lab.open();
  const end = (): void => void lab.close().finally(() => process.exit(130));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    tell('client -- LAN -- two firewalls -- WAN -- server, each in a namespace of its own;');
    tell('rules: drop by default, drop INVALID, SNAT to the WAN address that both share');
    const pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    const one = new KeepstateNode(fw1, pairConfig({ index: 0 }));
    const two = new KeepstateNode(fw2, pairConfig({ index: 1 }));
    await startServer(pair.server);
    await Promise.all([one.start(), two.start()]);
    tell('keepstate runs on both firewalls');
    await one.waitForRole('MASTER');
    tell(`${fw1.name} is MASTER: it has the higher priority`);

    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count });
    const probe = await startUdpProbe(pair.client, pairAddresses.server);
    tell(`${count} connections from the client to the server, each sends a message every 50 ms`);
    await two.waitForStatus(
      (status) => (status.sync?.external.entries ?? 0) > count,
      'the flows to be replicated',
    );
    tell(`${fw2.name} holds a copy of every flow`);
    await showStatus(one);

    if (isClean) {
      tell(`${fw1.name} is stopped cleanly`);
      await one.stop();
    } else {
      tell(`${fw1.name} loses its power: all its processes die, all its cables are dead`);
      await Promise.all([pair.unplug(0), one.process.kill()]);
    }
    const cut = Date.now();
    await two.waitForRole('MASTER');
    tell(`${fw2.name} is MASTER, ${((Date.now() - cut) / 1000).toFixed(1)} s later`);
    await two.waitForStatus((status) => status.sync?.lastCommit !== undefined, 'the commit');
    await showStatus(two);
    show(`keepstate history   # on ${fw2.name}`, historyText(await two.history(), look));

    const connections = await tcp.finish();
    const silence = (await probe.finish()).longestSilenceMilliseconds;
    tell(`the UDP probe heard nothing for ${Math.round(silence)} ms at the longest`);
    tell(
      `${connections.survivors} of ${connections.connections} connections survived, ` +
        `${connections.resets} were reset, ${connections.mismatches} got wrong data`,
    );
    process.exitCode = connections.survivors === count ? 0 : 1;
  } finally {
    await lab.close();
  }
}

void main().catch((error: unknown) => {
  process.stderr.write(`demo: ${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
  process.exitCode = 1;
});
