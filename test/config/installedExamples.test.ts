/**
 * The example files that Debian's keepalived and conntrackd packages install: accepted, or refused for a
 * keyword that the tables list as not supported. Needs both packages; without them it fails.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { existsSync } from 'node:fs';
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

describe('installed examples', () => {
  test.each(Object.entries(expectations))('%s', (path, refusedFor) => {
    const result = load(read(path), { configId: 'high' });
    const refused = result.problems
      .filter(({ code }) => code === 'not-supported')
      .map(({ message }) => /^'([^']*)'/.exec(message)?.[1] ?? message);
    expect([...new Set(refused)].sort()).toEqual([...refusedFor].sort());
    expect(result.settings !== undefined).toBe(refusedFor.length === 0);
  });

  test('vrrp.rules holds an address that keepalived refuses too', () => {
    const result = load(read(`${samples}.vrrp.rules`));
    const errors = result.problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ message }) => message)).toEqual([
      "'192.168.100./24' is not right for 'to'",
      "'192.168.200./24' is not right for 'to'",
    ]);
  });
});
