/** `check` and `migrate` as an operator calls them: exit status, text, JSON, normal form. */
import { Command } from 'commander';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerCheck, runCheck, type CheckOptions } from '../../src/cli/checkCommand.js';
import { registerMigrate } from '../../src/cli/migrateCommand.js';
import type { KeyFiles } from '../../src/config/loadPorts.js';
import { instanceText, load, machineWith, memoryFiles, portsWith } from './loading.js';

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
      out: '/a.conf: no problems\n',
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
        fix: { kind: 'line', line: 'advert_int 2' },
      },
    ]);
  });

  describe('accept_warning', () => {
    const accepting = (line: string): string => `global_defs {\n  ${line}\n}\n${warned}`;
    const accepted = accepting('accept_warning rounded "as the peer"');

    test('takes the warning out, also with --strict, and the last line counts it', () => {
      const expected = {
        status: 0,
        out: '/a.conf: no problems (1 warning accepted: rounded)\n',
        err: '',
      };
      expect(check({ '/a.conf': accepted })).toEqual(expected);
      expect(check({ '/a.conf': accepted }, { strict: true })).toEqual(expected);
    });

    test('--json shows what was accepted, and why', () => {
      const { out } = check({ '/a.conf': accepted }, { json: true });
      expect(JSON.parse(out)).toMatchObject([
        { line: 11, code: 'rounded', severity: 'warning', accepted: true, reason: 'as the peer' },
      ]);
    });

    test('holds for its code alone', () => {
      const { status, out } = check(
        { '/a.conf': accepting('accept_warning no-effect') },
        { strict: true },
      );
      expect(status).toBe(1);
      expect(out).toContain('0 errors, 1 warning\n');
    });

    test('an error cannot be accepted, and a code that no warning has is an error', () => {
      const { status, out } = check({ '/a.conf': accepting('accept_warning unknown-keyword') });
      expect(status).toBe(1);
      expect(out).toContain(
        "/a.conf:2:18: error: no warning has the code 'unknown-keyword'; expected the word in [brackets] behind a warning; errors cannot be accepted [bad-value]",
      );
      expect(check({ '/a.conf': accepting('accept_warning roundde') }).out).toContain(
        "did you mean 'rounded'?",
      );
    });

    test('a code that can be an error too is accepted as warning only', () => {
      const text = `global_defs {\n  accept_warning unicast-without-peer\n}\n${instanceText('unicast_src_ip 192.0.2.9')}`;
      expect(check({ '/a.conf': text }, { strict: true }).status).toBe(0);
      const refused = text.replace('unicast_src_ip', 'unicast_fault_no_peer\n    unicast_src_ip');
      expect(check({ '/a.conf': refused }).status).toBe(1);
    });

    test('holds for what the peer makes of this file, and is printed', () => {
      const own = `global_defs {\n  accept_warning equal-priorities "tie"\n}\n${clean}`;
      const both = check({ '/a.conf': own, '/b.conf': clean }, { peer: '/b.conf', strict: true });
      expect(both).toMatchObject({
        status: 0,
        out: '/a.conf and /b.conf: no problems (1 warning accepted: equal-priorities)\n',
      });
      expect(check({ '/a.conf': own }, { print: true }).out).toContain(
        'global_defs {\n    accept_warning equal-priorities tie\n}\n',
      );
    });
  });

  test('a pair with an error in it is said not to be compared', () => {
    const { status, out } = check(
      { '/a.conf': clean, '/b.conf': instanceText('priorty 5') },
      { peer: '/b.conf' },
    );
    expect(status).toBe(1);
    expect(out).toContain('the two were not compared with each other: correct the errors first\n');
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

  test.each(names.filter((name) => name.endsWith('-pair.conf')))(
    '%s is right with the keys that it prepares, and its signatures need no clock',
    (name) => {
      const text = readFileSync(join(samples, name), 'utf8');
      const signs = /^( +)# (?=(sync_key|sync_active_key|auth_hmac) | {4}|\})/gm;
      const keyFiles: KeyFiles = {
        read: () => ({ kind: 'text', text: `hex:${'0123456789abcdef'.repeat(4)}` }),
        whyNotSecret: () => undefined,
      };
      const { problems, settings } = load(text.replace(signs, '$1'), {
        machine: machineWith({ keyFiles }),
      });
      expect(problems).toEqual([]);
      expect(settings?.sync?.seal).toMatchObject({ activeKeyId: 1, auth: 'enforce' });
      expect(settings?.vrrp.instances[0]?.hmac).toMatchObject({ antiReplay: 'monotonic' });
    },
  );

  test('there are three', () => {
    expect(names).toHaveLength(3);
  });
});
