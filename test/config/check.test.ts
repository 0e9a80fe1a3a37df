/** `check` and `migrate` as an operator calls them: exit status, text, JSON, normal form. */
import { Command } from 'commander';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerCheck, runCheck, type CheckOptions } from '../../src/cli/check.js';
import { registerMigrate, runMigrate } from '../../src/cli/migrate.js';
import { instanceText, load, memoryFiles, portsWith } from './loading.js';

class Captured {
  text = '';
  errors = '';
  out(text: string): void {
    this.text += text;
  }
  error(text: string): void {
    this.errors += text;
  }
}

function check(texts: Readonly<Record<string, string>>, options: Partial<CheckOptions> = {}) {
  const output = new Captured();
  const ports = portsWith({ files: memoryFiles(texts) });
  const status = runCheck({ config: '/a.conf', ...options }, ports, output);
  return { status, out: output.text, err: output.errors };
}

const clean = instanceText();
const warned = instanceText('advert_int 1.5');

describe('check', () => {
  test('a clean file gives 0', () => {
    expect(check({ '/a.conf': clean })).toEqual({
      status: 0,
      out: '/a.conf: 0 errors, 0 warnings\n',
      err: '',
    });
  });

  test('warnings give 0, and 1 with --strict', () => {
    expect(check({ '/a.conf': warned }).status).toBe(0);
    expect(check({ '/a.conf': warned }, { strict: true }).status).toBe(1);
  });

  test('errors give 1, with file:line:column, what was expected and the nearest keyword', () => {
    const { status, out } = check({ '/a.conf': instanceText('priorty 5') });
    expect(status).toBe(1);
    expect(out).toContain(
      "/a.conf:8:5: error: unknown keyword 'priorty' in 'vrrp_instance'; did you mean 'priority'? [unknown-keyword]",
    );
  });

  test('an unreadable file gives 2, the peer too', () => {
    expect(check({}).status).toBe(2);
    expect(check({ '/a.conf': clean }, { peer: '/b.conf' }).status).toBe(2);
  });

  test('--json prints an array', () => {
    const { out } = check({ '/a.conf': warned }, { json: true });
    expect(JSON.parse(out)).toEqual([
      {
        file: '/a.conf',
        line: 8,
        column: 5,
        severity: 'warning',
        code: 'rounded',
        message: 'VRRP version 2 carries whole seconds: advert_int is taken as 2',
        expected: 'whole seconds, or version 3',
      },
    ]);
  });

  test('--print prints the normal form alone on standard output', () => {
    const { out, err } = check(
      { '/a.conf': `$P=9\n${warned.replace('100', '$P')}` },
      { print: true },
    );
    expect(err).toContain('1 warning');
    expect(out).toBe(
      'vrrp_instance A {\n    interface eth0\n    virtual_router_id 7\n    priority 9\n    advert_int 1.5\n    virtual_ipaddress {\n        192.0.2.1/24\n    }\n}\n',
    );
  });

  test('--help teaches with examples', () => {
    const program = new Command();
    registerCheck(program);
    registerMigrate(program);
    const help = program.commands.map((command) => {
      let text = '';
      command.configureOutput({ writeOut: (part) => (text += part) });
      command.outputHelp();
      return text;
    });
    for (const text of help) expect(text).toMatch(/Examples:[^]*\$ keepstate /);
  });
});

describe('on real files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepstate-check-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  test('the command reads, includes by glob and sets the exit status', () => {
    writeFileSync(join(directory, 'node.conf'), 'include part[0-9].inc\n');
    writeFileSync(join(directory, 'part1.inc'), clean);
    writeFileSync(join(directory, 'part2.inc'), 'vrrp_script s {\n  script /nowhere/x\n}\n');
    const output = new Captured();
    const program = new Command().exitOverride();
    registerCheck(program, output);
    const before = process.exitCode;
    program.parse(['check', '--config', join(directory, 'node.conf'), '--strict'], {
      from: 'user',
    });
    const status = process.exitCode;
    process.exitCode = before;
    expect(status).toBe(1);
    expect(output.text).toContain(
      `${join(directory, 'part2.inc')}:2:3: warning: the script '/nowhere/x' does not exist`,
    );
  });

  test('a directory in place of a file is unreadable, not an exception', () => {
    const output = new Captured();
    const program = new Command().exitOverride();
    registerCheck(program, output);
    const before = process.exitCode;
    program.parse(['check', '--config', directory], { from: 'user' });
    const status = process.exitCode;
    process.exitCode = before;
    expect(status).toBe(2);
  });
});

describe('the sample configurations', () => {
  const samples = join(__dirname, '../../config');
  const names = readdirSync(samples).filter((name) => name.endsWith('.conf'));

  test.each(names)('%s is right, without a warning', (name) => {
    const result = load(readFileSync(join(samples, name), 'utf8'));
    expect(result.problems).toEqual([]);
    expect(result.settings?.binding.kind).not.toBe('none');
  });

  test('there are three', () => {
    expect(names).toHaveLength(3);
  });
});

describe('migrate', () => {
  const fixture = (name: string): string =>
    readFileSync(join(__dirname, 'fixtures', `${name}.conf`), 'utf8');
  const run = (keepalived: string, conntrackd: string) => {
    const output = new Captured();
    const files = memoryFiles({ '/k.conf': keepalived, '/c.conf': conntrackd });
    const status = runMigrate(['/k.conf', '/c.conf'], portsWith({ files }), output);
    return { status, text: output.text, errors: output.errors };
  };

  test.each([
    ['unicast-fw1.keepalived', 'unicast-fw1.conntrackd'],
    ['unicast-fw2.keepalived', 'unicast-fw2.conntrackd'],
    ['multicast-master.keepalived', 'multicast.conntrackd'],
    ['multicast-backup.keepalived', 'multicast.conntrackd'],
  ])('%s and %s become one file without problems but the password', (keepalived, conntrackd) => {
    const { status, text } = run(fixture(keepalived), fixture(conntrackd));
    expect(status).toBe(0);
    const left = load(text).problems.filter(({ code }) => code !== 'clear-text-password');
    expect(left).toEqual([]);
  });

  test('means the same as the two files', () => {
    const [keepalived, conntrackd] = [
      fixture('unicast-fw2.keepalived'),
      fixture('unicast-fw2.conntrackd'),
    ];
    const before = load(keepalived + conntrackd).settings;
    const after = load(run(keepalived, conntrackd).text).settings;
    expect(after?.vrrp).toEqual(before?.vrrp);
    expect(after?.general).toEqual(before?.general);
    expect(after?.binding).toMatchObject({ kind: 'group', name: 'EDGE' });
    expect(after?.sync?.links).toEqual(before?.sync?.links);
  });

  test('keeps every comment of the operator', () => {
    const { text } = run(fixture('unicast-fw1.keepalived'), fixture('unicast-fw1.conntrackd'));
    for (const comment of [
      '# Two firewalls',
      '# The link between',
      '# loopback',
      '# needs a kernel',
    ]) {
      expect(text).toContain(comment);
    }
  });

  test('comments each line that it drops or changes, with the reason', () => {
    const { text } = run(
      instanceText(
        'smtp_alert\nstate SLAVE # why\nnotify_master /x primary\nuse_vmac {\n  x\n}\nauthentication {\n  auth_type PASS\n  auth_pass 123456789\n}',
      ),
      fixture('unicast-fw1.conntrackd'),
    );
    expect(text).toContain(
      "# keepstate: dropped: 'smtp_alert' has no effect here: keepstate sends no mail; use notify\n    #   smtp_alert\n",
    );
    expect(text).toContain(
      "# keepstate: changed: state 'SLAVE' is taken as BACKUP\n    #   state SLAVE # why\n    state BACKUP # why\n",
    );
    expect(text).toContain('    notify_master "/x primary"\n');
    expect(text).toContain(
      "# keepstate: dropped: 'use_vmac' is not supported\n    #   use_vmac {\n      #   x\n    #   }\n",
    );
    expect(text).toContain('      auth_pass 12345678\n');
    expect(load(text).settings).toBeDefined();
  });

  test('says what is left to the operator, and gives 1', () => {
    const { status, text, errors } = run(instanceText('priorty 5'), '');
    expect(status).toBe(1);
    expect(text).toContain(
      "# keepstate: error: unknown keyword 'priorty' in 'vrrp_instance'\n    priorty 5",
    );
    expect(errors).toContain("did you mean 'priority'?");
  });

  test('an unreadable file gives 2', () => {
    expect(runMigrate(['/none'], portsWith(), new Captured())).toBe(2);
  });
});
