/** What can happen to a simulated cluster, as words: `power A off`, `port A lan sends off`. */
import { milliseconds } from '../../../src/base/time.js';
import type { Cluster } from './cluster.js';

type Verb = (cluster: Cluster, words: readonly string[]) => void;

const isOn = (word: string | undefined): boolean => word === 'on';

const verbs: Readonly<Record<string, Verb>> = {
  /** Off: its kernel answers nobody any more. */
  power: (cluster, [name = '', state]) => {
    const node = cluster.node(name);
    if (isOn(state)) {
      node.kernel = 'runs';
      node.start();
      return;
    }
    node.kernel = 'off';
    node.kill();
    node.vrrp.hasAddresses = false;
  },
  /** The machine stands still as a whole. */
  freeze: (cluster, [name = '']) => {
    cluster.node(name).kernel = 'frozen';
  },
  thaw: (cluster, [name = '']) => {
    cluster.node(name).kernel = 'runs';
    cluster.node(name).turnAgain();
  },
  stop: (cluster, [name = '']) => {
    cluster.node(name).process = 'stopped';
  },
  continue: (cluster, [name = '']) => {
    cluster.node(name).process = 'runs';
    cluster.node(name).turnAgain();
  },
  kill: (cluster, [name = '']) => cluster.node(name).kill(),
  /** `resumes`: so soon that the state file says that it was MASTER. */
  start: (cluster, [name = '', resumes]) => cluster.node(name).start(resumes === 'resumes'),
  end: (cluster, [name = '']) => cluster.node(name).endInOrder(),
  loop: (cluster, [name = '', state]) => {
    cluster.node(name).isLoopBlocked = !isOn(state);
    cluster.node(name).turnAgain();
  },
  port: (cluster, [name = '', path = '', what, state]) => {
    const port = cluster.wires.port(name, path);
    if (what === 'sends' || what === 'both') port.sends = isOn(state);
    if (what === 'receives' || what === 'both') port.receives = isOn(state);
  },
  /** A segment's interface is tracked: a member is faulty. */
  carrier: (cluster, [name = '', path = '', state]) => {
    cluster.wires.port(name, path).hasCarrier = isOn(state);
    if (cluster.wires.segments.includes(path)) cluster.node(name).setFault(path, !isOn(state));
  },
  fault: (cluster, [name = '', member = '', state]) => {
    cluster.node(name).setFault(member, !isOn(state));
  },
  /** `flap A lan 100 5000`: the carrier goes and comes each 100 ms, for 5 s, and is on then. */
  flap: (cluster, [name = '', path = '', every, lasts]) => {
    const turns = Number(lasts) / Number(every);
    for (let i = 0; i <= turns; i++) {
      const state = i % 2 === 0 && i < turns ? 'off' : 'on';
      cluster.time.after(milliseconds(i * Number(every)), () =>
        happen(cluster, `carrier ${name} ${path} ${state}`),
      );
    }
  },
  /** `policy drop`: beats are outside the ruleset. */
  ruleset: (cluster, [name = '', policy]) => {
    if (policy === 'drop') cluster.dropsAdverts.add(name);
    else cluster.dropsAdverts.delete(name);
  },
  /** Loaded by a reload: the session ends in order. */
  key: (cluster, [name = '', key = '']) => cluster.node(name).rekey(key),
  switch: (cluster, [path = '', state]) => {
    if (isOn(state)) cluster.wires.deadSwitches.delete(path);
    else cluster.wires.deadSwitches.add(path);
  },
  cut: (cluster, [from = '', to = '', path = '']) => {
    cluster.wires.cuts.add(`${from} ${to} ${path}`);
  },
  heal: (cluster) => cluster.wires.cuts.clear(),
  flood: (cluster, [name = '', path = '', state]) => {
    const key = `${name} ${path}`;
    if (isOn(state)) cluster.wires.floods.add(key);
    else cluster.wires.floods.delete(key);
    cluster.node(name).flood(path, isOn(state));
  },
  loss: (cluster, [path = '', share]) => cluster.wires.loss.set(path, Number(share)),
  maintenance: (cluster, [name = '', state]) => {
    cluster.node(name).feed({ kind: 'maintenance', isOn: isOn(state) });
  },
  /** What it says to a node; with one that grants leases `off` and `on`: the way to it. */
  arbiter: (cluster, [name = '', answer]) => {
    if (answer === 'off') cluster.arbiter?.cut.add(name);
    if (answer === 'on') cluster.arbiter?.cut.delete(name);
    if (answer === 'granted' || answer === 'refused' || answer === 'none') {
      cluster.node(name).arbiter = answer;
    }
  },
  lease: (cluster, [name = '', state]) => {
    if (state === 'held' || state === 'refused' || state === 'lost') {
      cluster.node(name).feed({ kind: 'lease', state });
    }
  },
  synchronised: (cluster, [name = '', state]) => {
    cluster.node(name).isSynchronised = isOn(state);
    cluster.node(name).tellFacts();
  },
};

/** Throws where it is no such word. */
export function happen(cluster: Cluster, line: string): void {
  const [verb = '', ...words] = line.split(' ');
  const what = verbs[verb];
  if (what === undefined) throw new Error(`nothing is called ${line}`);
  what(cluster, words);
}
