import { isRoot, scriptUsers } from '../../src/config/scriptUsers.js';
import { instanceText, load, machineWith } from './loading.js';

function usersOf(lines: string, root: string, hasAccount = false): readonly string[] {
  const { settings, problems } = load(instanceText(lines, root), { machine: machineWith() });
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return scriptUsers(settings, (name) => hasAccount && name === 'keepalived_script').map(
    ({ program, user }) => `${program} ${user}`,
  );
}

const scripts = `vrrp_script chk {
  script "/opt/check.sh now"
  user nobody
}
vrrp_script ping {
  script /bin/ping
}`;
const lines = `notify_master "/opt/role.sh master"
notify_backup "/opt/role.sh backup" root
track_script {
  chk
  ping
}`;

test('each program once for each user; who has none is root, unless the machine has the account', () => {
  expect([...usersOf(lines, scripts)].sort()).toEqual([
    '/bin/ping root',
    '/opt/check.sh nobody',
    '/opt/role.sh root',
  ]);
  expect([...usersOf(lines, scripts, true)].sort()).toEqual([
    '/bin/ping keepalived_script',
    '/opt/check.sh nobody',
    '/opt/role.sh keepalived_script',
    '/opt/role.sh root',
  ]);
});

test('script_user is whoever has no other; run_user where there is no script_user', () => {
  const globals = (text: string): string => `${scripts}\nglobal_defs {\n  ${text}\n}`;
  expect(usersOf(lines, globals('script_user scripts'))).toContain('/bin/ping scripts');
  expect(usersOf(lines, globals('run_user keepstate'))).toContain('/bin/ping keepstate');
});

test('without scripts there is nobody', () => {
  expect(usersOf('', '')).toEqual([]);
  expect(['root', '0', 'nobody'].map(isRoot)).toEqual([true, true, false]);
});
