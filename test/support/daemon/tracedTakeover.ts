/** One takeover of a whole node in virtual time, for scripts/traceTakeover.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { milliseconds, seconds } from '../../../src/base/time.js';
import { loadNodeText } from '../../../src/config/loadNode.js';
import type { NodeSettings } from '../../../src/config/nodeSettings.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { systemDisk } from '../../../src/daemon/disk/disk.js';
import { watchMachine } from '../../../src/daemon/host/machineWatch.js';
import { ServiceManager } from '../../../src/daemon/host/serviceManager.js';
import { KeepstateNode } from '../../../src/daemon/node.js';
import type { StartWorker } from '../../../src/daemon/worker/workerSupervisor.js';
import type { VrrpDatagram } from '../../../src/net/ports.js';
import { nothingCommitted } from '../../../src/sync/messages.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import { encodeAdvert } from '../../../src/vrrp/wire/packet.js';
import { ManualTime } from '../base/manualTime.js';
import { FakeNetwork } from '../vrrp/fakeNetwork.js';
import { RouterHarness } from '../vrrp/routerHarness.js';
import { ip } from '../vrrp/settings.js';

/** The highest priority below an owner's: its skew is shorter than a tick of the node. */
const text = (directory: string): string => `global_defs {
  state_directory ${directory}
}
vrrp_instance A {
  interface eth0
  virtual_router_id 51
  priority 254
  virtual_ipaddress {
    10.0.0.100/24
  }
}
Sync {
  Mode FTFW {
  }
  UDP {
    IPv4_address 10.3.0.1
    IPv4_Destination_Address 10.3.0.2
    Port 3780
    Interface sync
  }
}
General {
  LockFile ${directory}/lock
}
`;

/** Where scripts/trace.cjs writes. */
const holder: typeof globalThis & { keepstateTrace?: string[] | undefined } = globalThis;

/**
 * Entries `file function` in the order in which they were made; empty without the hook
 * scripts/trace.cjs.
 */
export async function traceTakeover(): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'keepstate-trace-'));
  try {
    return await takeover(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function takeover(directory: string): Promise<readonly string[]> {
  const settings = settingsOf(text(directory));
  const time = new ManualTime();
  let harness: RouterHarness | undefined;
  const node = new KeepstateNode(
    settings,
    {
      clock: time,
      timers: time,
      logger: silentLogger,
      network: new FakeNetwork(),
      disk: systemDisk,
      watchMachine: (read) => watchMachine({ timers: time, logger: silentLogger }, read),
      service: new ServiceManager(() => undefined, time, { watchdog: undefined }),
      startWorker: commitsAtOnce,
      makeRouter: (vrrp, options) => {
        harness = new RouterHarness(vrrp, options, time);
        // Before the router hears of it: the trace ends with the VIP.
        harness.network.subscribe(({ kind }) => {
          if (kind === 'address') holder.keepstateTrace = undefined;
        });
        return harness.router;
      },
      onStopRequested: () => undefined,
    },
    { configFile: 'traced', controlPath: join(directory, 'control.sock'), version: '0', pid: 1 },
  );
  await node.start();
  const socket = harness?.network.sockets[0];
  if (harness === undefined || socket === undefined) throw new Error('the router has no socket');
  socket.deliver(advert(settings, 255));
  await time.advance(seconds(1));
  // What an earlier look gave to the disk does not end in the middle of the trace.
  await node.memory.saved();
  const trace: string[] = [];
  const farewell = advert(settings, 0);
  const vip = ip('10.0.0.100');
  holder.keepstateTrace = trace;
  socket.deliver(farewell);
  for (let i = 0; i < 20 && !harness.network.has(vip); i++) await time.advance(milliseconds(1));
  holder.keepstateTrace = undefined;
  if (!harness.network.has(vip)) throw new Error('the VIP did not come up');
  await node.stop();
  return trace;
}

function settingsOf(config: string): NodeSettings {
  const loaded = loadNodeText(config, 'traced', systemLoadPorts({ machine: false }));
  if (loaded.settings === undefined) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings;
}

const commitsAtOnce: StartWorker = (listener) => ({
  post: (command) => {
    if (command.kind === 'start') {
      queueMicrotask(() => {
        listener.report({ kind: 'listening' });
        listener.report({ kind: 'ready', filled: 0, durationMs: 0 });
      });
    }
    if (command.kind === 'becomeMaster' || command.kind === 'preCommit') {
      const { epoch } = command;
      queueMicrotask(() => listener.report({ kind: 'committed', epoch, ...nothingCommitted }));
    }
    if (command.kind === 'stop' || command.kind === 'request' || command.kind === 'drain') {
      const { id } = command;
      queueMicrotask(() =>
        listener.report({ kind: 'result', id, ok: true, message: '', counts: {}, durationMs: 0 }),
      );
    }
  },
  terminate: () => Promise.resolve(),
});

function advert({ vrrp }: NodeSettings, priority: number): VrrpDatagram {
  const [instance] = vrrp.instances;
  if (instance === undefined) throw new Error('no instance');
  const source = ip('10.0.0.2');
  const destination = instance.multicastGroup;
  const payload = encodeAdvert(advertOf(instance, priority), { source, destination });
  return { source, destination, ttl: 255, payload, totalLength: payload.length + 20 };
}
