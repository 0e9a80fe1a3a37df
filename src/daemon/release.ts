/**
 * `keepstate release`: the virtual addresses that a crash has left leave the interfaces, and peers
 * that may still wait for this node are told with priority 0. For a node that is not to start again
 * (keepstate-release.service).
 */
import { existsSync } from 'node:fs';
import { formatIp } from '../base/ipAddress.js';
import { KeepstateError } from '../base/errors.js';
import { silentLogger } from '../base/logger.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import { seconds } from '../base/time.js';
import { loadNode } from '../config/loadNode.js';
import { defaultControlPath, type NodeSettings } from '../config/nodeSettings.js';
import { formatProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import { ask } from '../control/client.js';
import type { AddressSpec } from '../net/ports.js';
import { PacketAnnouncer } from '../net/vrrp/neighbourAnnouncer.js';
import { RtnetlinkControl } from '../net/netlink/rtnetlinkControl.js';
import { RtnetlinkWatch } from '../net/netlink/rtnetlinkWatch.js';
import { RawVrrpSockets } from '../net/vrrp/vrrpSocket.js';
import {
  chooseSource,
  keepalivedProtocol,
  movingAddresses,
} from '../vrrp/addresses/interfaceAddresses.js';
import { AdvertAuthentication } from '../vrrp/auth/advertAuthentication.js';
import { Senders } from '../vrrp/wire/senders.js';
import { SocketPool } from '../vrrp/wire/socketPool.js';
import { vrrpSockets } from './host/incumbentSockets.js';
import { enterOwnNamespace } from './host/ownNamespace.js';
import { membersOf, RoleMemory } from './disk/roleMemory.js';

export interface ReleaseOptions {
  readonly config: string;
  /** Of a daemon that was started with another than the configuration's. */
  readonly control?: string;
}

type Write = (text: string) => void;

const timers = new SystemTimers(systemClock);

/**
 * Exit codes: 0 nothing is left, 1 refused by the kernel, a daemon runs or the file has errors, 2
 * it cannot be read.
 */
export async function releaseAddresses(
  { config, control }: ReleaseOptions,
  write: Write,
): Promise<number> {
  const { settings, problems, readable } = loadNode(config, systemLoadPorts());
  const path = control ?? settings?.keepstate.controlPath ?? defaultControlPath;
  const sign = await signOfLife(path);
  if (sign !== undefined) {
    write(`${sign}: nothing was removed`);
    return 1;
  }
  try {
    if (settings !== undefined) enterOwnNamespace(settings);
  } catch (error) {
    if (!(error instanceof KeepstateError)) throw error;
    write(`${error.message}: nothing was removed`);
    return 1;
  }
  const network = RtnetlinkWatch.open({ timers, logger: silentLogger });
  try {
    await network.load();
    if (settings !== undefined) {
      const failures = await removeAddresses(movingAddresses(settings.vrrp), write);
      sayGoodbye(settings, path, network, write);
      return failures === 0 ? 0 : 1;
    }
    for (const problem of problems) write(formatProblem(problem));
    await removeMarked(network, write);
    return readable ? 1 : 2;
  } finally {
    network.close();
  }
}

/**
 * What speaks against removing addresses: a daemon that is only slow, or busy, still holds them.
 */
async function signOfLife(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  const outcome = await ask({ path, timers, timeout: seconds(2) }, { verb: 'ping' });
  switch (outcome.kind) {
    case 'noDaemon':
      return undefined;
    case 'answer':
      return `a keepstate runs with this configuration (${path})`;
    case 'refused':
      return `a keepstate runs with this configuration (${path}: ${outcome.refusal.message})`;
    case 'notAllowed':
      return `no permission to ask ${path} whether a keepstate runs`;
    case 'hangs':
    case 'broken':
      return `something listens at ${path} and does not answer; a keepstate that hangs must be ended first`;
  }
}

/** Gives how many the kernel did not let go. */
async function removeAddresses(specs: readonly AddressSpec[], write: Write): Promise<number> {
  const control = RtnetlinkControl.open();
  let failures = 0;
  try {
    for (const spec of specs) {
      const outcome = await control.deleteAddress(spec);
      const text = `${formatIp(spec.address)}/${spec.prefixLength} on ${spec.interfaceName}`;
      if (outcome.kind === 'done') write(`removed ${text}`);
      if (outcome.kind === 'refused') {
        failures++;
        write(`cannot remove ${text}: ${outcome.message}`);
      }
    }
  } finally {
    control.close();
  }
  return failures;
}

/**
 * A file that says nothing must not leave an address on two nodes: what a crash has left bears
 * keepalived's mark in the kernel (since Linux 5.18). A daemon that may hold them by right keeps
 * them.
 */
async function removeMarked(network: RtnetlinkWatch, write: Write): Promise<void> {
  const [holder] = vrrpSockets();
  if (holder !== undefined) {
    write(`a router of user ${holder.uid} has VRRP sockets here: nothing was removed`);
    return;
  }
  const marked = network.addresses().flatMap((one): AddressSpec[] => {
    const link = network.links().find(({ index }) => index === one.linkIndex);
    if (link === undefined || one.protocol !== keepalivedProtocol) return [];
    return [{ address: one.address, prefixLength: one.prefixLength, interfaceName: link.name }];
  });
  await removeAddresses(marked, write);
}

/** To whom still counts the silence of this node; nobody resumes after this. */
function sayGoodbye(
  settings: NodeSettings,
  controlPath: string,
  network: RtnetlinkWatch,
  write: Write,
): void {
  const { vrrp, keepstate } = settings;
  const memory = new RoleMemory(controlPath, keepstate.stateDirectory, silentLogger);
  const units = [...memory.awaited(vrrp, systemClock.now())];
  if (units.length === 0) return;
  const names = units.flatMap((unit) => membersOf(vrrp, unit));
  const opened = PacketAnnouncer.open();
  if (opened.kind !== 'open') return;
  const pool = new SocketPool({ sockets: new RawVrrpSockets(), network }, () => undefined);
  const auth = new AdvertAuthentication(systemClock, memory.signedNumbers);
  const senders = new Senders({ pool, announcer: opened.announcer, auth, logger: silentLogger });
  const kernel = { links: network.links(), addresses: network.addresses() };
  for (const instance of vrrp.instances.filter(({ name }) => names.includes(name))) {
    const source = chooseSource(instance, kernel);
    if ('missing' in source || pool.assign(instance, source) !== undefined) continue;
    senders.sendAdvert(instance, source, 0, 1);
    if (senders.failureOf(instance.name) === undefined) {
      write(`told the peers of ${instance.name} that this node has left (priority 0)`);
    }
  }
  pool.close();
  opened.announcer.close();
  memory.forget(auth.numbers);
}
