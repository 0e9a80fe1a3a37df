/** Manual pages and completions: whatever commander and the keyword tables know stands in them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandTree, type CommandNode } from '../../scripts/package/commandTree.js';
import { bashCompletion, fishCompletion, zshCompletion } from '../../scripts/package/completion.js';
import { manualPages, plain } from '../../scripts/package/manual.js';
import { buildProgram } from '../../src/cli/program.js';
import { statsSections } from '../../src/control/protocol.js';
import { rootRows } from '../../src/config/keywords/rootRows.js';

const program = commandTree(buildProgram());
const pages = manualPages(program, { version: '0.0.7', date: '2026-01-02' });
const textOf = (file: string): string => pages.find((page) => page.file === file)?.text ?? '';

describe('manual pages', () => {
  test.each(program.commands.map(({ name }) => name))('keepstate-%s has each option', (name) => {
    const text = textOf(`keepstate-${name}.8`);
    const missing = (command: CommandNode): readonly string[] => [
      ...command.options.map(({ flags }) => flags).filter((flags) => !text.includes(plain(flags))),
      ...command.commands.flatMap(missing),
    ];
    const command = program.commands.find((each) => each.name === name);
    expect(text).toContain('.TH KEEPSTATE');
    expect(command === undefined ? [name] : missing(command)).toEqual([]);
  });

  test('keepstate.conf has each keyword of root level and of an instance', () => {
    const text = textOf('keepstate.conf.5');
    const keywords = [
      ...Object.keys(rootRows),
      ...Object.keys(rootRows.vrrp_instance.type.block?.rows ?? {}),
    ];
    expect(keywords.length).toBeGreaterThan(60);
    expect(keywords.filter((word) => !text.includes(`.BI ${plain(word)} `))).toEqual([]);
  });

  test('what roff takes for itself is escaped', () => {
    expect(plain('.a\n\'b\n--c "d" \\e')).toBe("\\&.a\n\\&'b\n\\-\\-c \\(dqd\\(dq \\ee");
  });
});

describe('completion', () => {
  /** What bash would offer behind `words`. */
  const offered = (...words: readonly string[]): readonly string[] => {
    const folder = mkdtempSync(join(tmpdir(), 'keepstate-bash-'));
    try {
      writeFileSync(join(folder, 'completion'), bashCompletion(program));
      writeFileSync(join(folder, 'node.conf'), '');
      const leave = "listen('trial.sock', () => process.kill(process.pid, 'SIGKILL'))";
      spawnSync(process.execPath, ['-e', `net.createServer().${leave}`], { cwd: folder });
      const script = `source ./completion; COMP_WORDS=(keepstate "$@"); COMP_CWORD=$#; _keepstate; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      return stdout.split('\n').filter((line) => line !== '');
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('of bash: commands, commands of a command, options, choices, files', () => {
    expect(offered('sta')).toEqual(['status', 'stats']);
    expect(offered('sync', 'fl')).toEqual(['flush']);
    expect(offered('check', '--st')).toEqual(['--strict']);
    expect(offered('run', '--log-level', 'de')).toEqual(['debug']);
    expect(offered('check', '--config', 'no')).toEqual(['node.conf']);
    expect(offered('stats', 'net')).toEqual(['network']);
    expect(offered('sync', 'flush', 'int')).toEqual(['internal']);
    expect(offered('maintenance', 'of')).toEqual(['off']);
    // A file that is no socket is not offered as one.
    expect(offered('status', '--control', 'no')).toEqual([]);
    expect(offered('status', '--control', 'tr')).toEqual(['trial.sock']);
  });

  test.each([
    ['zsh', zshCompletion(program), /--control\[[^\]]*\]:path:_files -g "\*\(=\)"/],
    ['fish', fishCompletion(program), /-l control -r -F -a '\(path filter -t socket/],
  ])('of %s has each command, sections and sockets', (_shell, text, socket) => {
    expect(program.commands.filter(({ name }) => !text.includes(name))).toEqual([]);
    expect(statsSections.filter((section) => !text.includes(section))).toEqual([]);
    expect(text).toMatch(socket);
  });
});
