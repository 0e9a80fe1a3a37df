/** One VRRP node of an interop test as a keepalived.conf, which both kinds of daemon read. */

export interface InstanceSpec {
  readonly name: string;
  readonly interfaceName: string;
  readonly vrid: number;
  readonly priority: number;
  /** «address/prefix»; the interface is the instance's. */
  readonly vips: readonly string[];
  readonly version?: 2 | 3;
  readonly state?: 'MASTER' | 'BACKUP';
  /** Seconds. */
  readonly advertInterval?: number;
  readonly password?: string;
  readonly nopreempt?: boolean;
  readonly preemptDelay?: number;
  /** Unicast where given. */
  readonly peers?: readonly string[];
  readonly source?: string;
  /** Without weight: FAULT when one is down. */
  readonly trackInterfaces?: readonly string[];
  readonly garpMasterDelay?: number;
  readonly garpMasterRepeat?: number;
  readonly garpMasterRefresh?: number;
}

export interface NodeSpec {
  /** Further lines for each instance, as they stand in the file. */
  readonly instanceText?: string;
  /** Further blocks. */
  readonly text?: string;
  readonly instances: readonly InstanceSpec[];
  readonly groups?: readonly { readonly name: string; readonly members: readonly string[] }[];
  /** Called for every state of every instance and group, as `notify`. */
  readonly notify?: string;
}

export function keepalivedConf(spec: NodeSpec): string {
  const notify = spec.notify === undefined ? [] : [`  notify "${spec.notify}"`];
  const groups = (spec.groups ?? []).flatMap((group) => [
    `vrrp_sync_group ${group.name} {`,
    '  group {',
    ...group.members.map((member) => `    ${member}`),
    '  }',
    ...notify,
    '}',
  ]);
  const instances = spec.instances.flatMap((one) => [
    `vrrp_instance ${one.name} {`,
    ...instanceLines(one),
    ...notify,
    spec.instanceText ?? '',
    '}',
  ]);
  return [
    'global_defs {',
    '  script_user root',
    '}',
    spec.text ?? '',
    ...groups,
    ...instances,
    '',
  ].join('\n');
}

function instanceLines(one: InstanceSpec): string[] {
  const when = (text: string, condition: unknown): string[] =>
    condition === undefined || condition === false ? [] : [text];
  return [
    `  interface ${one.interfaceName}`,
    `  virtual_router_id ${one.vrid}`,
    `  priority ${one.priority}`,
    `  state ${one.state ?? 'BACKUP'}`,
    `  version ${one.version ?? 2}`,
    `  advert_int ${one.advertInterval ?? 1}`,
    ...when('  nopreempt', one.nopreempt),
    ...when(`  preempt_delay ${one.preemptDelay ?? 0}`, one.preemptDelay),
    ...when(`  garp_master_delay ${one.garpMasterDelay ?? 5}`, one.garpMasterDelay),
    ...when(`  garp_master_repeat ${one.garpMasterRepeat ?? 5}`, one.garpMasterRepeat),
    ...when(`  garp_master_refresh ${one.garpMasterRefresh ?? 0}`, one.garpMasterRefresh),
    ...(one.trackInterfaces === undefined
      ? []
      : ['  track_interface {', ...one.trackInterfaces, '  }']),
    ...(one.password === undefined
      ? []
      : ['  authentication {', '    auth_type PASS', `    auth_pass ${one.password}`, '  }']),
    ...when(
      `  ${one.peers === undefined ? 'mcast_src_ip' : 'unicast_src_ip'} ${one.source ?? ''}`,
      one.source,
    ),
    ...(one.peers === undefined ? [] : ['  unicast_peer {', ...one.peers, '  }']),
    '  virtual_ipaddress {',
    ...one.vips.map((vip) => `    ${vip}`),
    '  }',
  ];
}
