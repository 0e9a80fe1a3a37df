/** A node of the incumbents that becomes one of keepstate, as docs/operations.md says it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import type { Cluster } from './cluster.js';
import { incumbentConfig } from './clusterMembers.js';
import { KeepstateClusterNode, type ClusterNode } from './clusterNode.js';

export interface MigratedNode {
  readonly node: KeepstateClusterNode;
  /** What runs on it now. */
  config: string;
}

/** Stops what runs on the node and starts keepstate with the file that `migrate` makes of the two. */
export async function migrateNode(
  cluster: Cluster<ClusterNode, ClusterNode>,
  index: 0 | 1,
): Promise<MigratedNode> {
  const host = cluster.pair.firewalls[index];
  const { keepalived, conntrackd } = incumbentConfig(index);
  const script = '/etc/conntrackd/primary-backup.sh';
  const files = [
    host.file('old-keepalived.conf', keepalived.replaceAll('@SCRIPT@', script)),
    host.file('old-conntrackd.conf', conntrackd.replaceAll('@DIRECTORY@', host.directory)),
  ];
  const migrated = await host.tryExec([...keepstateCommand(), 'migrate', ...files]);
  expect(migrated.exitCode).toBe(0);
  const config = ownPlaces(migrated.stdout);
  const node = new KeepstateClusterNode(host, config);
  await cluster.nodes[index].stop();
  cluster.nodes[index] = node;
  await node.start();
  return { node, config };
}

/** The first node makes a key, and the other gets a copy of the file. */
export async function shareKey(first: MigratedNode, second: MigratedNode): Promise<void> {
  const [made, copy] = [first, second].map(({ node }) => `${node.host.directory}/sync.key`);
  if (made === undefined || copy === undefined) throw new Error('there are two nodes');
  await first.node.host.exec([...keepstateCommand(), 'key', 'new', '--file', made]);
  writeFileSync(copy, readFileSync(made), { mode: 0o600 });
}

/** Takes the signs away from the lines that `migrate` prepared, and reloads. */
export async function useKey(
  migrated: MigratedNode,
  auth: 'permissive' | 'enforce',
): Promise<void> {
  const { daemon, host } = migrated.node;
  migrated.config = migrated.config
    .replace(/# (?=sync_key|sync_active_key|sync_auth)/g, '')
    .replace('file:/etc/keepstate/', `file:${host.directory}/`)
    .replace(/sync_auth \w+/, `sync_auth ${auth}`);
  daemon.writeConfig(migrated.config);
  const { exitCode, stderr } = await daemon.cli('reload');
  expect([exitCode, stderr]).toEqual([0, '']);
}

/** Two nodes share this machine's file system. */
function ownPlaces(config: string): string {
  const places = 'state_directory @DIRECTORY@/state\n  control_socket @DIRECTORY@/run/control.sock';
  return config.replace('global_defs {', `global_defs {\n  ${places}`);
}
