/**
 * Values of all blocks become the settings of a node; checks between blocks are made on the way.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import { seconds } from '../../base/time.js';
import type { InstanceSettings, VrrpSettings } from '../../vrrp/settings.js';
import { globalRows } from '../keywords/globalRows.js';
import type { RootValues } from '../keywords/rootRows.js';
import type { NodeSettings, RoleBinding } from '../nodeSettings.js';
import { last } from '../table/row.js';
import { buildAddresses, buildRoutes, buildRules } from './addressSettings.js';
import { bindRole } from './binding.js';
import { allItems, optional, valueOf, type BuildContext } from './context.js';
import { garpPacing } from './garp.js';
import { buildGeneral, buildKeepstate } from './general.js';
import { buildAlerts } from './alert.js';
import { buildHttp } from './http.js';
import { instanceDefaults, mergeGlobals, type GlobalValues } from './globals.js';
import { buildGroup } from './group.js';
import { buildInstance } from './instance.js';
import { buildScript } from './notify.js';
import { buildScheduling } from './scheduling.js';
import { buildSeal } from './seal.js';
import { buildStatistics } from './statistics.js';
import { buildSync, distinct } from './sync.js';
import { buildTrackers, uniquelyNamed, warnRelativePath } from './trackers.js';
import { checkVirtualRouterIds } from './virtualRouterIds.js';

export interface BuiltNode {
  /** Meant to be used only where no problem is an error. */
  readonly settings: NodeSettings;
  readonly globals: GlobalValues;
}

export function buildNode(
  root: RootValues,
  sources: readonly string[],
  context: BuildContext,
): BuiltNode {
  const globals = mergeGlobals(root, globalRows);
  context.syncScripts.push(...globals.conntrack_sync_script.flatMap(({ value }) => value));
  const general = last(root.General)?.value.values;
  const { vrrp, binding } = buildVrrp(root, globals, context);
  const keepstate = buildKeepstate(globals, context);
  const own = ownAddresses(vrrp.instances);
  const seal = buildSeal(globals, context);
  const plain = buildSync(root, globals, general, own, keepstate.nodeName, context);
  const sync = plain && { ...plain, ...optional('seal', seal?.settings) };
  const settings: NodeSettings = {
    vrrp,
    ...optional('sync', sync),
    ...optional('syncKeys', seal?.keys),
    ...optional('statistics', buildStatistics(root, general, context)),
    general: buildGeneral(general, context),
    keepstate,
    binding,
    ...optional('scheduling', buildScheduling(globals, general)),
    ...optional('http', buildHttp(root, context)),
    ...optional('runUser', runUser(globals, context)),
    ...optional('alerts', buildAlerts(root, globals, context)),
    ...optional('netNamespace', valueOf(root.net_namespace)),
    sources,
  };
  return { settings, globals };
}

function runUser(globals: GlobalValues, { uses }: BuildContext): string | undefined {
  const located = last(globals.run_user);
  if (located === undefined) return undefined;
  uses.push({ kind: 'user', name: located.value, at: located.at });
  return located.value;
}

function buildVrrp(
  root: RootValues,
  globals: GlobalValues,
  context: BuildContext,
): { vrrp: VrrpSettings; binding: RoleBinding } {
  const trackers = buildTrackers(root, context);
  const blocks = uniquelyNamed(root.vrrp_instance, context);
  const groupBlocks = uniquelyNamed(root.vrrp_sync_group, context);
  const defaults = instanceDefaults(globals, context);
  const binding = bindRole(groupBlocks, blocks, root.Sync.length > 0, context);
  const isBound = (kind: 'group' | 'instance') => (name: string) =>
    binding.kind === kind && binding.name === name;
  const inputs = {
    defaults,
    trackers,
    pacing: garpPacing(root, context),
    isBound: isBound('instance'),
  };
  const built = blocks.map((block) => buildInstance(block, inputs, context));
  checkVirtualRouterIds(blocks, built, context);
  const groupInputs = {
    instances: blocks,
    trackers,
    notifyPriorityChanges: defaults.notifyPriorityChanges,
    isBound: isBound('group'),
    groupOf: new Map<string, string>(),
  };
  const reachHold = valueOf(globals.reach_hold);
  const vrrp: VrrpSettings = {
    routerId: valueOf(globals.router_id) ?? context.hostName,
    instances: built.filter((instance) => instance !== undefined),
    groups: groupBlocks.map((block) => buildGroup(block, groupInputs, context)),
    ...trackers,
    ...buildStatics(root, globals, context),
    ...buildScripts(globals, context),
    ...optional('reachHold', reachHold === undefined ? undefined : seconds(reachHold)),
    startupDelay: seconds(valueOf(globals.vrrp_startup_delay) ?? 0),
    fifoWriteStatesOnReload: valueOf(globals.fifo_write_vrrp_states_on_reload) ?? false,
    logUnknownVrids: valueOf(globals.log_unknown_vrids) ?? false,
    dynamicInterfaces: globals.dynamic_interfaces.length > 0,
    interfaceDelays: allItems(root.interface_up_down_delays).map(({ value }) => ({
      interfaceName: value.interfaceName,
      down: seconds(value.downSeconds),
      up: seconds(value.upSeconds),
    })),
  };
  return { vrrp, binding };
}

function buildStatics(
  root: RootValues,
  globals: GlobalValues,
  context: BuildContext,
): Pick<VrrpSettings, 'staticAddresses' | 'staticRoutes' | 'staticRules'> {
  const defaultInterface = valueOf(globals.default_interface) ?? 'eth0';
  return {
    staticAddresses: buildAddresses(allItems(root.static_ipaddress), defaultInterface, context),
    staticRoutes: buildRoutes(allItems(root.static_routes), context),
    staticRules: buildRules(allItems(root.static_rules)),
  };
}

type Scripts = Pick<
  VrrpSettings,
  | 'scriptUser'
  | 'enableScriptSecurity'
  | 'notifyFifo'
  | 'vrrpNotifyFifo'
  | 'startupScript'
  | 'shutdownScript'
>;

function buildScripts(globals: GlobalValues, context: BuildContext): Scripts {
  const [user, group] = valueOf(globals.script_user) ?? [];
  const at = last(globals.script_user)?.at;
  if (user !== undefined && at !== undefined) context.uses.push({ kind: 'user', name: user, at });
  const fifo = (name: 'notify_fifo' | 'vrrp_notify_fifo'): Scripts['notifyFifo'] => {
    const located = last(globals[name]);
    const script = last(globals[`${name}_script`]);
    if (located === undefined) return undefined;
    const { path, user: owner, group: ownerGroup } = located.value;
    warnRelativePath(path, located.at, context);
    if (owner !== undefined) context.uses.push({ kind: 'user', name: owner, at: located.at });
    return {
      path,
      ...optional(
        'owner',
        owner === undefined ? undefined : { user: owner, ...optional('group', ownerGroup) },
      ),
      ...optional('script', script && buildScript(script, context)),
    };
  };
  const timed = (name: 'startup_script' | 'shutdown_script'): Scripts['startupScript'] => {
    const script = last(globals[name]);
    if (script === undefined) return undefined;
    const timeout = seconds(valueOf(globals[`${name}_timeout`]) ?? 10);
    return { command: buildScript(script, context), timeout };
  };
  return {
    ...optional(
      'scriptUser',
      user === undefined ? undefined : { user, ...optional('group', group) },
    ),
    enableScriptSecurity: valueOf(globals.enable_script_security) ?? false,
    ...optional('notifyFifo', fifo('notify_fifo')),
    ...optional('vrrpNotifyFifo', fifo('vrrp_notify_fifo')),
    ...optional('startupScript', timed('startup_script')),
    ...optional('shutdownScript', timed('shutdown_script')),
  };
}

/** VIPs and VRRP source addresses, each once: traffic of the node itself, not of its clients. */
function ownAddresses(instances: readonly InstanceSettings[]): readonly IpAddress[] {
  const all = instances.flatMap((instance) => [
    ...instance.virtualAddresses.map(({ spec }) => spec.address),
    ...instance.excludedAddresses.map(({ spec }) => spec.address),
    ...(instance.sourceAddress === undefined ? [] : [instance.sourceAddress]),
  ]);
  return distinct(all);
}
