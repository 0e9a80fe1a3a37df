/** A firewall of the laboratory that is a bare Debian machine, as an operator works on it. */
import { basename, join } from 'node:path';
import { readFileSync } from 'node:fs';
import { debianBase, type DebianSuite } from '../lab/debianBase.js';
import type { CommandResult } from '../lab/command.js';
import { pairAddresses } from '../lab/firewallPair.js';
import type { Host } from '../lab/host.js';
import { repositoryRoot } from '../lab/runTypescript.js';
import { SystemdMachine } from '../lab/systemd.js';
import { waitFor } from '../lab/waitFor.js';

export class DebianNode {
  readonly host: Host;
  readonly machine: SystemdMachine;
  readonly #index: 0 | 1;

  private constructor(host: Host, machine: SystemdMachine, index: 0 | 1) {
    this.host = host;
    this.machine = machine;
    this.#index = index;
  }

  /** `packages` lie in /root afterwards. */
  static async boot(
    suite: DebianSuite,
    host: Host,
    index: 0 | 1,
    packages: readonly string[],
  ): Promise<DebianNode> {
    const files = packages.map((source) => [join('/root', basename(source)), { source }] as const);
    const base = await debianBase(suite);
    const machine = await SystemdMachine.boot(host, Object.fromEntries(files), base);
    return new DebianNode(host, machine, index);
  }

  /** One line of a shell; rejects on a non-zero exit. */
  sh(line: string): Promise<string> {
    return this.machine.exec(['sh', '-ec', line]);
  }

  try(line: string): Promise<CommandResult> {
    return this.machine.tryExec(['sh', '-c', line]);
  }

  /** What dpkg printed, both streams. */
  install(name: string): Promise<string> {
    return this.sh(`dpkg -i /root/${basename(name)} 2>&1`);
  }

  /** From the sample, with what an operator changes in it: interfaces, addresses, priority. */
  async configure(): Promise<void> {
    await this.sh(
      `cd /etc/keepstate && sed -e '${this.#edits.join(';')}' <keepstate.conf.sample >keepstate.conf`,
    );
  }

  /** The same changes in any text that is made from the sample. */
  get #edits(): readonly string[] {
    const { lan, wan, sync, lanVip, wanVip } = pairAddresses;
    const mine = this.#index;
    const swap = (own: string, peer: string, ours: readonly string[]): string[] => [
      `s/${own.replaceAll('.', '\\.')}\\b/@OWN@/g`,
      `s/${peer.replaceAll('.', '\\.')}\\b/${ours[1 - mine] ?? ''}/g`,
      `s/@OWN@/${ours[mine] ?? ''}/g`,
    ];
    return [
      ...swap('172.16.255.1', '172.16.255.2', sync),
      ...swap('203.0.113.2', '203.0.113.3', wan),
      ...swap('10.10.0.2', '10.10.0.3', lan),
      `s/203\\.0\\.113\\.1\\b/${wanVip}/g`,
      `s/10\\.10\\.0\\.1\\b/${lanVip}/g`,
      's/\\beth0\\b/wan/g;s/\\beth1\\b/lan/g;s/\\beth2\\b/sync/g',
      ...(mine === 1 ? ['s/priority 100/priority 50/'] : []),
    ];
  }

  /** Of `status --json`; undefined where no daemon answers. */
  async status(): Promise<{ role: string; version: string; state: string } | undefined> {
    const { stdout } = await this.try('keepstate status --json 2>/dev/null');
    if (!stdout.startsWith('{') || stdout.includes('"ok": false')) return undefined;
    const answer = JSON.parse(stdout) as {
      role: string;
      version: string;
      sync?: { state: string };
    };
    return { role: answer.role, version: answer.version, state: answer.sync?.state ?? 'none' };
  }

  async waitForRole(role: 'MASTER' | 'BACKUP'): Promise<void> {
    let last: unknown;
    await waitFor(
      async () => {
        const now = await this.status();
        last = now;
        return now?.role === role && now.state === 'synchronised';
      },
      { description: `${this.host.name} to be ${role} and synchronised`, timeout: 120_000 },
    ).catch((error: unknown) => {
      throw new Error(`last: ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** Every path of the machine but those of processes, logs and caches. */
  async paths(): Promise<readonly string[]> {
    const prune = [
      '/proc',
      '/sys',
      '/dev',
      '/root',
      '/tmp',
      '/var/log/journal',
      '/var/cache',
      '/run/systemd',
      '/run/log',
    ];
    const words = prune.map((path) => `-path ${path} -prune -o`).join(' ');
    return (await this.sh(`find / ${words} -print 2>/dev/null || true`)).split('\n').sort();
  }

  /**
   * keepalived.conf and conntrackd.conf of the same cluster, as docs/operations.md goes back to.
   */
  pairFiles(): { readonly keepalived: string; readonly conntrackd: string } {
    const text = readFileSync(join(repositoryRoot, 'config/unicast-pair.conf'), 'utf8');
    const begin = text.indexOf('vrrp_sync_group');
    const middle = text.indexOf('\nSync {');
    const script = '/usr/share/doc/conntrackd/examples/sync/primary-backup.sh';
    const notify = ['master primary', 'backup backup', 'fault fault']
      .map((pair) => pair.split(' '))
      .map(([state = '', word = '']) => `    notify_${state} "/bin/sh ${script} ${word}"`);
    const routes = text
      .slice(begin, middle)
      .replace(/^ *conntrack_sync\n/m, `${notify.join('\n')}\n`);
    return {
      // keepalived 2.3 runs no script for a user that does not exist, its default.
      keepalived: `global_defs {\n    script_user root\n}\n${routes}`,
      conntrackd: text.slice(middle),
    };
  }

  /** Puts a text of `pairFiles` to `path`, with this node's addresses. */
  async put(path: string, text: string): Promise<void> {
    await this.machine.write('/root/text', text);
    await this.sh(
      `mkdir -p $(dirname ${path}) && sed -e '${this.#edits.join(';')}' </root/text >${path}`,
    );
  }
}
