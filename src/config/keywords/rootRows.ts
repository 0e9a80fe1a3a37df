/** Root level: all blocks of both dialects, in any order in one file. */
import { anything, integer, word } from '../table/scalarTypes.js';
import {
  keepalived,
  keepstate,
  notSupported,
  withoutEffect,
  type Rows,
  type Values,
} from '../table/row.js';
import { block, list, named, nameless, type ItemType } from '../table/wordTypes.js';
import { addressItems } from './addressEntry.js';
import { alertRows } from './alertRows.js';
import { conntrackdRootRows } from './conntrackdRows.js';
import { globalRows } from './globalRows.js';
import { httpRows } from './httpRows.js';
import { instanceRows } from './instanceRows.js';
import { routeItems } from './routeEntry.js';
import { ruleItems } from './ruleEntry.js';
import { targetRows } from './targetRows.js';
import {
  garpGroupRows,
  groupRows,
  scriptRows,
  trackFileRows,
  trackProcessRows,
} from './trackerRows.js';

export interface InterfaceDelay {
  readonly interfaceName: string;
  readonly downSeconds: number;
  readonly upSeconds: number;
}

const delayItems: ItemType<InterfaceDelay> = {
  name: 'INTERFACE [down-seconds [up-seconds]]',
  parse: ([name, down, up, extra], { problems }) => {
    const [downSeconds = 0, upSeconds = downSeconds] = [down, up]
      .filter((word) => word !== undefined)
      .map(({ text }) => (/^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : NaN));
    const isRight = [downSeconds, upSeconds].every((seconds) => seconds >= 0 && seconds <= 255);
    if (extra !== undefined) {
      const message = `'${extra.text}' behind the delays is read over, as in keepalived`;
      problems.warning(extra.at, 'words-read-over', message, {
        expected: 'one or two numbers of seconds',
      });
    }
    if (name !== undefined && isRight) {
      return { interfaceName: name.text, downSeconds, upSeconds };
    }
    if (name !== undefined) {
      problems.error(name.at, 'bad-value', `the delays of '${name.text}' are wrong`, {
        expected: 'INTERFACE and one or two numbers of seconds 0..255',
      });
    }
    return undefined;
  },
  print: ({ interfaceName: name, downSeconds, upSeconds }) => [
    name,
    String(downSeconds),
    String(upSeconds),
  ],
};

/** `vrrp_instance A B {` is skipped by keepalived 2.2.7. */
const exactHeader = { hasExactHeader: true } as const;

const noBalancing =
  'keepalived for load balancing beside keepstate, with its own file (migrate --rest-keepalived)';

export const rootRows = {
  global_defs: keepalived(block(globalRows, nameless), 'settings for the whole node', {
    repeats: true,
  }),
  net_namespace: keepalived(word, 'run inside this network namespace'),
  instance: keepalived(word, 'the id that @id conditions compare with', {
    default: 'the host name',
  }),
  interface_up_down_delays: keepalived(list(delayItems), 'how long a link change must last', {
    repeats: true,
    unit: 'seconds',
  }),
  static_ipaddress: keepalived(list(addressItems), 'addresses set as long as the daemon runs', {
    repeats: true,
  }),
  static_routes: keepalived(list(routeItems), 'routes set as long as the daemon runs', {
    repeats: true,
  }),
  static_rules: keepalived(list(ruleItems), 'rules set as long as the daemon runs', {
    repeats: true,
  }),
  garp_group: keepalived(block(garpGroupRows, nameless), 'pacing of announcements per interface', {
    repeats: true,
  }),
  vrrp_script: keepalived(block(scriptRows, named), 'a check that runs again and again', {
    repeats: true,
  }),
  track_file: keepalived(block(trackFileRows, named), 'a file with a number', {
    aliases: ['vrrp_track_file'],
    repeats: true,
  }),
  vrrp_track_process: keepalived(block(trackProcessRows, named), 'a process that must be there', {
    aliases: ['track_process'],
    repeats: true,
  }),
  vrrp_track_target: keepstate(
    block(targetRows, named),
    'something behind this node that must answer; compared with what a keepstate peer reaches',
    { repeats: true },
  ),
  vrrp_sync_group: keepalived(
    block(groupRows, named, exactHeader),
    'instances that change state together',
    { repeats: true },
  ),
  vrrp_instance: keepalived(block(instanceRows, named, exactHeader), 'a virtual router', {
    repeats: true,
  }),
  http: keepstate(block(httpRows, nameless), 'metrics, health, status and a page over HTTP'),
  alert: keepstate(block(alertRows, nameless), 'who is told of role changes and problems', {
    repeats: true,
  }),
  ...conntrackdRootRows,
  net_namespace_ipvs: withoutEffect(
    keepalived(anything, 'namespace of IPVS'),
    'keepstate runs no IPVS',
  ),
  namespace_with_ipsets: withoutEffect(
    keepalived(anything, 'ipsets in namespaces'),
    'keepstate makes no ipsets',
  ),
  use_pid_dir: withoutEffect(
    keepalived(anything, 'where pid files stand'),
    'keepstate writes no pid file',
  ),
  child_wait_time: withoutEffect(
    keepalived(integer(0, 3_600), 'patience with children'),
    'keepstate has no child processes to wait for',
  ),
  linkbeat_use_polling: withoutEffect(
    keepalived(anything, 'link polling'),
    'the kernel reports link changes by itself',
  ),
  linkbeat_interfaces: withoutEffect(
    keepalived(anything, 'link polling'),
    'the kernel reports link changes by itself',
  ),
  track_group: withoutEffect(
    keepalived(anything, 'static addresses tied to instances'),
    'static addresses stay whatever an instance does',
  ),
  bfd_instance: notSupported(
    keepalived(anything, 'a BFD session'),
    'track_interface, or a vrrp_script that checks the path',
  ),
  virtual_server: notSupported(keepalived(anything, 'load balancing'), noBalancing),
  virtual_server_group: notSupported(keepalived(anything, 'load balancing'), noBalancing),
  SSL: notSupported(keepalived(anything, 'certificates of health checks'), noBalancing),
} as const satisfies Rows;

/** Everything that a configuration says, unchecked between its parts. */
export type RootValues = Values<typeof rootRows>;
