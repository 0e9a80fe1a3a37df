/**
 * What a running node stands on: the kernel's sockets, the VRRP router on them and the starter of
 * the worker thread. run.ts adds what a process has (log, control socket, signals); release.ts
 * opens sockets of its own.
 */
import type { Logger } from '../base/logger.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import { systemRandom } from '../base/systemRandom.js';
import { KernelError } from '../base/errors.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import { refusedSocketText } from '../net/socket/outcome.js';
import { PacketAnnouncer } from '../net/vrrp/neighbourAnnouncer.js';
import { RtnetlinkControl } from '../net/netlink/rtnetlinkControl.js';
import { RtnetlinkRoutingWatch } from '../net/netlink/routingWatch.js';
import { RtnetlinkWatch } from '../net/netlink/rtnetlinkWatch.js';
import { batchedMake } from '../net/probe/batchedCarrier.js';
import type { CarrierMake } from '../net/probe/carrier.js';
import { Probers } from '../net/probe/probers.js';
import { rawSocketMake } from '../net/probe/rawSocketCarrier.js';
import { RawVrrpSockets } from '../net/vrrp/vrrpSocket.js';
import { nftFirewall } from '../vrrp/addresses/firewall.js';
import { VrrpRouter } from '../vrrp/router.js';
import type { RouterOptions } from '../vrrp/routerPorts.js';
import { NodeProcesses } from '../vrrp/scripts/nodeProcesses.js';
import type { VrrpSettings } from '../vrrp/settings.js';
import { procSysctls } from '../vrrp/addresses/secondaryPromotion.js';
import { nodeFiles } from '../vrrp/tracking/fileTracker.js';
import { procTable } from '../vrrp/tracking/processTracker.js';
import { KeepstateNode } from './node.js';
import type { NodeOptions } from './nodePorts.js';
import { AlertService } from './alerts/alertService.js';
import type { ProblemRecord } from './problemTable/record.js';
import type { Finding } from './problemTable/table.js';
import { systemDisk } from './disk/disk.js';
import type { RecordingFile } from './disk/recordingFile.js';
import { HttpService } from './web/httpService.js';
import { nodeView } from './web/nodeView.js';
import { watchMachine } from './host/machineWatch.js';
import type { ServiceManager } from './host/serviceManager.js';
import { threadStarter } from './worker/syncThread.js';

export interface ComposeOptions extends Omit<NodeOptions, 'pid'> {
  readonly logger: Logger;
  readonly service: ServiceManager;
  readonly onStopRequested: () => void;
  /** Where each VRRP event is written, for a replay. The caller closes it. */
  readonly recording: RecordingFile | undefined;
  /** What others watch: the configuration file. */
  readonly furtherProblems: () => readonly Finding[];
}

export interface ComposedNode {
  readonly node: KeepstateNode;
  /** Serves nobody before its settings are applied. */
  readonly http: HttpService;
  /** Tells nobody before its settings are applied. */
  readonly alerts: AlertService;
  /** Closes the kernel's doors; call it after the node has stopped. */
  readonly close: () => void;
}

/**
 * In the network namespace of the calling thread. Throws KernelError where a door does not open.
 */
export async function composeNode(
  settings: NodeSettings,
  options: ComposeOptions,
): Promise<ComposedNode> {
  const { logger, service, onStopRequested, recording, furtherProblems, ...nodeOptions } = options;
  const clock = systemClock;
  const timers = new SystemTimers(clock);
  const network = RtnetlinkWatch.open({ timers, logger });
  const control = RtnetlinkControl.open();
  const announcer = openAnnouncer();
  await network.load();
  let current = (): VrrpSettings => settings.vrrp;
  const routerPorts = {
    clock,
    timers,
    logger,
    sockets: new RawVrrpSockets(),
    network,
    control,
    openRoutingWatch: () => RtnetlinkRoutingWatch.open({ logger }),
    announcer,
    spawner: new NodeProcesses(() => current()),
    files: nodeFiles,
    processTable: procTable,
    sysctls: procSysctls,
    firewall: nftFirewall,
  };
  const make = (): CarrierMake => rawSocketMake() ?? batchedMake;
  const probers = new Probers({ clock, timers, random: systemRandom, make });
  const http = new HttpService({ timers, logger, look: () => nodeView(node) });
  const alerts = new AlertService({
    ...{ clock, timers, logger, random: systemRandom, disk: systemDisk },
    folder: () => node.memory.folder,
    node: () => node.settings.keepstate.nodeName,
    version: options.version,
  });
  const nodePorts = {
    clock,
    timers,
    logger,
    network,
    service,
    disk: systemDisk,
    watchMachine: (read: () => NodeSettings) => watchMachine({ timers, logger }, read),
    onStopRequested,
    furtherProblems: () => [...furtherProblems(), ...http.problems, ...alerts.problems],
    problemsNoted: (records: readonly ProblemRecord[]) => alerts.observed(records),
    alertsShown: () => alerts.shown,
    ...(recording === undefined ? {} : { record: (line: object) => recording.write(line) }),
    reach: { probers, random: systemRandom },
    startWorker: threadStarter(settings.scheduling?.sync, logger),
    makeRouter: (vrrp: VrrpSettings, routerOptions: RouterOptions) =>
      new VrrpRouter(routerPorts, vrrp, {
        ...routerOptions,
        ...(recording === undefined ? {} : { record: (line) => recording.write(line) }),
      }),
  };
  const node: KeepstateNode = new KeepstateNode(settings, nodePorts, {
    ...nodeOptions,
    pid: process.pid,
  });
  current = () => node.settings.vrrp;
  node.history.subscribe((event) => {
    alerts.told(event);
    http.told(event);
    return true;
  });
  return {
    node,
    http,
    alerts,
    close: () => {
      http.close();
      probers.close();
      network.close();
      control.close();
      announcer.close();
    },
  };
}

function openAnnouncer(): PacketAnnouncer {
  const opened = PacketAnnouncer.open();
  if (opened.kind === 'open') return opened.announcer;
  const { errno } = opened;
  const text = `cannot be opened: ${refusedSocketText(errno, 'CAP_NET_RAW')}`;
  throw new KernelError('packet socket', errno, text);
}
