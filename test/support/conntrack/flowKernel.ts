/** Kernel flow tables in namespaces of the laboratory, for tests of src/conntrack. */
import {
  KernelDump,
  type DumpHandler,
  type DumpRequest,
} from '../../../src/conntrack/kernel/kernelDump';
import {
  FlowCommit,
  type CommitOptions,
  type CommitResult,
} from '../../../src/conntrack/kernel/flowCommit';
import { FlowTable } from '../../../src/conntrack/record/flowTable';
import type { FlowCursor } from '../../../src/conntrack/record/flowRecord';
import { NameTable } from '../../../src/conntrack/record/nameTable';
import { systemClock, systemTurns } from '../../../src/base/systemClock';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace';
import type { Host } from '../../lab/host';
import { leavesOf, type Leaves } from './flowOracle';
import { upsert } from './records';

/** A ruleset that makes the tracker work: a conntrack rule, a nat chain, labels, an ftp helper to assign. */
export const trackingRules = `
table inet track {
  ct helper ftp { type "ftp" protocol tcp; }
  chain pre {
    type filter hook prerouting priority -150;
    ct state invalid counter
    meta mark 0xdead ct label set 5
  }
}
table ip nat4 {
  chain post { type nat hook postrouting priority 100; }
}
table ip6 nat6 {
  chain post { type nat hook postrouting priority 100; }
}
`;

export const nowSeconds = (): number => Math.floor(systemClock.now() / 1_000_000);

export function newTable(names = new NameTable()): FlowTable {
  return new FlowTable({ names, hashSeed: 0x5eed });
}

/** Runs a dump inside a host's namespace to its end. */
export async function dumpHost(
  host: Host,
  handler: DumpHandler,
  names = new NameTable(),
  request: DumpRequest = { kind: 'flows' },
): Promise<number> {
  const dump = withNetworkNamespace(
    host.namespacePath,
    () => new KernelDump(request, names, handler),
  );
  return dump.done;
}

/** The kernel's table as a FlowTable. */
export async function tableOf(host: Host, names = new NameTable()): Promise<FlowTable> {
  const table = newTable(names);
  await dumpHost(host, { flow: (flow) => void upsert(table, flow, nowSeconds()) }, names);
  return table;
}

export function commitTo(
  host: Host,
  table: FlowTable,
  options: Partial<CommitOptions> = {},
): Promise<CommitResult> {
  return startCommit(host, table, options).done;
}

export function startCommit(
  host: Host,
  table: FlowTable,
  options: Partial<CommitOptions> = {},
): FlowCommit {
  const all: CommitOptions = {
    windowTracking: false,
    onExisting: 'replace',
    overdue: 'keep',
    ...options,
  };
  const start = (): FlowCommit => new FlowCommit(table, all, systemClock, systemTurns);
  return withNetworkNamespace(host.namespacePath, start);
}

/** Each flow as leaves, without what differs between two kernels: id, timeout, what is out of date at once. */
export function comparable(table: FlowTable): Leaves[] {
  const cursor = table.newCursor();
  const flows: Leaves[] = [];
  for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
    flows.push(comparableFlow(table.seek(slot, cursor)));
  }
  return flows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

export function comparableFlow(flow: FlowCursor): Leaves {
  const volatile = /^\/CTA_(ID|TIMEOUT|USE|COUNTERS|TIMESTAMP)|_FLAGS_/;
  const leaves = leavesOf(flow);
  return Object.fromEntries(
    Object.entries(leaves)
      .filter(([path]) => !volatile.test(path))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
