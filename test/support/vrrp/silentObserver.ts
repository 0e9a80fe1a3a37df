import type { RouterObserver } from '../../../src/vrrp/routerPorts.js';

/** Listens to nothing: for a router without a coordinator. */
export const silentObserver: RouterObserver = {
  transition: () => undefined,
  roleChanged: () => undefined,
  preemptionWanted: () => undefined,
  preemptionWithdrawn: () => undefined,
  masterSilent: () => undefined,
  otherMasterSeen: () => undefined,
  vipsPresent: () => undefined,
};
