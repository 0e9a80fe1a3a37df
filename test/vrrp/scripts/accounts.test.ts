import { chooseAccount, findGroup, findUser } from '../../../src/vrrp/scripts/accounts.js';

const files = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\nkeepalived_script:x:900:901::/:/bin/false\nu:x:7:8::/:/x\n',
  group: 'root:x:0:\nstaff:x:50:\n',
};

describe('accounts', () => {
  test('names and numbers of the files are found, other numbers are taken as they are', () => {
    expect(findUser(files.passwd, 'u')).toEqual({ uid: 7, gid: 8 });
    expect(findUser(files.passwd, '7')).toEqual({ uid: 7, gid: 8 });
    expect(findUser(files.passwd, '4711')).toEqual({ uid: 4711, gid: 4711 });
    expect(findUser(files.passwd, 'nobody')).toBeUndefined();
    expect(findGroup(files.group, 'staff')).toBe(50);
  });

  test('a script’s own user comes first, then script_user, then keepalived_script, then root', () => {
    const command = { words: ['/x'] };
    const scriptUser = { user: 'u', group: 'staff' };
    expect(chooseAccount(files, { ...command, user: 'root' }, scriptUser)).toEqual({
      uid: 0,
      gid: 0,
    });
    expect(chooseAccount(files, command, scriptUser)).toEqual({ uid: 7, gid: 50 });
    expect(chooseAccount(files, command, undefined)).toEqual({ uid: 900, gid: 901 });
    expect(chooseAccount({ ...files, passwd: '' }, command, undefined)).toEqual({ uid: 0, gid: 0 });
    expect(chooseAccount(files, { ...command, user: 'primary' }, undefined)).toEqual({
      refused: "script user 'primary' does not exist",
    });
  });
});
