/**
 * A program for interop tests: one VrrpRouter on the real doors of the kernel, without the rest of
 * the daemon. Argument: a keepalived.conf. Tells each transition as a JSON line on stdout; SIGUSR2
 * prints a snapshot, SIGUSR1 keepalived's three dumps, SIGTERM stops cleanly. Log lines go to
 * stderr.
 */
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import type { Logger } from '../../../src/base/logger.js';
import { loadNode } from '../../../src/config/loadNode.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { PacketAnnouncer } from '../../../src/net/vrrp/neighbourAnnouncer.js';
import { RtnetlinkControl } from '../../../src/net/netlink/rtnetlinkControl.js';
import { RtnetlinkRoutingWatch } from '../../../src/net/netlink/routingWatch.js';
import { RtnetlinkWatch } from '../../../src/net/netlink/rtnetlinkWatch.js';
import { RawVrrpSockets } from '../../../src/net/vrrp/vrrpSocket.js';
import { statsText } from '../../../src/vrrp/dumps/statsDump.js';
import { nftFirewall } from '../../../src/vrrp/addresses/firewall.js';
import { VrrpRouter } from '../../../src/vrrp/router.js';
import { NodeProcesses } from '../../../src/vrrp/scripts/nodeProcesses.js';
import { procSysctls } from '../../../src/vrrp/addresses/secondaryPromotion.js';
import { nodeFiles } from '../../../src/vrrp/tracking/fileTracker.js';
import { procTable } from '../../../src/vrrp/tracking/processTracker.js';
import { silentObserver } from './silentObserver.js';

const logger: Logger = {
  log: (level, message, fields) =>
    void process.stderr.write(`${level} ${message} ${JSON.stringify(fields ?? {})}\n`),
};

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function main(): Promise<void> {
  const loaded = loadNode(process.argv[2] ?? '', systemLoadPorts());
  for (const problem of loaded.problems) logger.log('warning', problem.message);
  if (loaded.settings === undefined) throw new Error('the configuration has errors');
  const settings = loaded.settings.vrrp;
  const timers = new SystemTimers();
  const network = RtnetlinkWatch.open({ timers, logger });
  await network.load();
  const opened = PacketAnnouncer.open();
  if (opened.kind === 'refused') throw new Error(String(opened.errno));
  const router = new VrrpRouter(
    {
      clock: systemClock,
      timers,
      logger,
      sockets: new RawVrrpSockets(),
      network,
      control: RtnetlinkControl.open(),
      openRoutingWatch: () => RtnetlinkRoutingWatch.open({ logger }),
      announcer: opened.announcer,
      spawner: new NodeProcesses(() => settings),
      files: nodeFiles,
      processTable: procTable,
      sysctls: procSysctls,
      firewall: nftFirewall,
    },
    settings,
    {
      observer: { ...silentObserver, transition: (transition) => say({ transition }) },
      bindings: new Map(),
      resume: new Set(),
    },
  );
  process.on('SIGUSR2', () => {
    const snapshot = router.snapshot();
    const { rss } = process.memoryUsage();
    say({ snapshot, stats: statsText(snapshot.instances), rss, cpu: process.cpuUsage() });
  });
  process.on('SIGTERM', () => {
    void router.stop().then(() => process.exit(0));
  });
  await router.start();
  say({ ready: true });
}

void main();
