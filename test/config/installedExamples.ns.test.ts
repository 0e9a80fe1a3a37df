/**
 * The example files that Debian's keepalived and conntrackd packages install: accepted, or refused
 * for a keyword that the tables list as not supported. It stands among the namespace tests because
 * those are run where the packages are; without them it fails.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Lab } from '../lab/lab.js';
import { load } from './loading.js';

const samples = '/usr/share/doc/keepalived/samples/keepalived.conf';
const examples = '/usr/share/doc/conntrackd/examples';

/** What each file is refused for; absent: it is accepted. */
const expectations: Readonly<Record<string, readonly string[]>> = {
  [`${samples}.HTTP_GET.port`]: ['virtual_server'],
  [`${samples}.IPv6`]: ['virtual_server', 'virtual_server_group'],
  [`${samples}.PING_CHECK`]: ['virtual_server'],
  [`${samples}.SMTP_CHECK`]: ['virtual_server'],
  [`${samples}.SSL_GET`]: ['auth_type AH', 'virtual_server'],
  [`${samples}.UDP_CHECK`]: ['virtual_server'],
  [`${samples}.conditional_conf`]: ['use_vmac'],
  [`${samples}.fwmark`]: ['virtual_server'],
  [`${samples}.inhibit`]: ['virtual_server'],
  [`${samples}.misc_check`]: ['virtual_server'],
  [`${samples}.misc_check_arg`]: ['virtual_server'],
  [`${samples}.quorum`]: ['virtual_server'],
  [`${samples}.sample`]: ['virtual_server'],
  [`${samples}.status_code`]: ['virtual_server'],
  [`${samples}.track_interface`]: [],
  [`${samples}.virtual_server_group`]: ['virtual_server', 'virtual_server_group'],
  [`${samples}.virtualhost`]: ['virtual_server'],
  [`${samples}.vrrp`]: [],
  [`${samples}.vrrp.localcheck`]: [],
  [`${samples}.vrrp.lvs_syncd`]: ['virtual_server'],
  [`${samples}.vrrp.routes`]: ['or'],
  [`${samples}.vrrp.scripts`]: [],
  [`${samples}.vrrp.static_ipaddress`]: [],
  [`${samples}.vrrp.sync`]: [],
  [`${examples}/stats/conntrackd.conf`]: [],
  [`${examples}/sync/alarm/conntrackd.conf`]: [],
  [`${examples}/sync/ftfw/conntrackd.conf`]: [],
  [`${examples}/sync/keepalived.conf`]: [],
  [`${examples}/sync/notrack/conntrackd.conf`]: [],
};

/** The file as it is, or compressed by the packaging. */
function read(path: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  return gunzipSync(readFileSync(`${path}.gz`)).toString('utf8');
}

/** Holds addresses that are none, in lines of their own. */
const malformed = `${samples}.vrrp.rules`;

describe('installed examples', () => {
  test.each(Object.entries(expectations))('%s', (path, refusedFor) => {
    const result = load(read(path), { configId: 'high' });
    const refused = result.problems
      .filter(({ code }) => code === 'not-supported')
      .map(({ message }) => /^'([^']*)'/.exec(message)?.[1] ?? message);
    expect([...new Set(refused)].sort()).toEqual([...refusedFor].sort());
    expect(result.settings !== undefined).toBe(refusedFor.length === 0);
  });

  test('all of them are named here', () => {
    const directory = '/usr/share/doc/keepalived/samples';
    const installed = readdirSync(directory)
      .filter((name) => name.startsWith('keepalived.conf.'))
      .map((name) => join(directory, name.replace(/\.gz$/, '')));
    const named = [...Object.keys(expectations), malformed];
    expect(named).toEqual(expect.arrayContaining(installed));
  });

  test('vrrp.rules holds addresses that are none: both keepalived and check name their lines', async () => {
    const text = read(malformed);
    const errors = load(text).problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ message }) => message)).toEqual([
      "'192.168.100./24' is not right for 'to'",
      "'192.168.200./24' is not right for 'to'",
    ]);
    const lab = await Lab.open();
    try {
      const host = await lab.host('examples');
      await host.ip(
        'link add eth0 type veth peer name eth1',
        'link add eth2 type veth peer name eth3',
      );
      const path = join(host.directory, 'rules.conf');
      writeFileSync(path, text);
      const { exitCode, stderr } = await host.tryExec(['keepalived', '-t', '-f', path]);
      const named = [...stderr.matchAll(/Line (\d+)\) Invalid rule to address/g)];
      // KEEPALIVED_EXIT_CONFIG_TEST of keepalived 2.2.7.
      expect(exitCode).toBe(5);
      expect(named.map(([, line]) => Number(line))).toEqual(errors.map(({ at }) => at.line));
    } finally {
      await lab.close();
    }
  });
});
