/**
 * `keepstate top` and `status --watch` on a real terminal, without one, and the terminal
 * afterwards.
 */
import type { Host } from '../lab/host.js';
import { keepstateCommand } from '../lab/keepstateProgram.js';
import { Lab } from '../lab/lab.js';
import type { ManagedProcess } from '../lab/managedProcess.js';
import { KeepstateNode } from '../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

let lab: Lab;
let host: Host;
let node: KeepstateNode;
let script: string;

beforeAll(async () => {
  lab = await Lab.open();
  host = await lab.host('a');
  await host.ip(
    'link add lan type veth peer name far',
    'link set lan up',
    'link set far up',
    'addr add 192.0.2.1/24 dev lan',
  );
  node = new KeepstateNode(
    host,
    `global_defs {\n  node_name fw1\n}
vrrp_instance A {
  interface lan
  virtual_router_id 7
  version 3
  advert_int 0.1
  virtual_ipaddress {
    192.0.2.9/24
  }
}
`,
  );
  await node.start();
  await node.waitForRole('MASTER');
  script = host.file('terminal.py', terminalPython);
});

afterAll(async () => {
  await lab.close();
});

interface Played {
  /** What stood on the screen at each step, row by row. */
  readonly screens: readonly (readonly string[])[];
  readonly exit: number;
  /** The terminal's modes, its cursor and its first screen are as they were. */
  readonly isRestored: boolean;
}

/**
 * Runs the words on a terminal; `steps`: `wait TEXT`, `size ROWS COLUMNS`, `key TEXT`, `signal N`.
 */
function start(words: readonly string[], ...steps: readonly string[]): ManagedProcess {
  const command = [...keepstateCommand(), ...words, '--control', node.controlPath];
  return host.start(['python3', '-u', script, JSON.stringify({ command, steps })]);
}

async function ended(terminal: ManagedProcess): Promise<Played> {
  await terminal.exited();
  const text = terminal.output;
  try {
    return JSON.parse(text.slice(text.lastIndexOf('{"screens"'))) as Played;
  } catch {
    throw new Error(text);
  }
}

const play = (words: readonly string[], ...steps: readonly string[]): Promise<Played> =>
  ended(start(words, ...steps));

describe.each([
  ['top', ['top']],
  ['status --watch', ['status', '--watch']],
])('%s', (_name, words) => {
  test.each([
    ['q', 'key q'],
    ['Ctrl-C', 'key \u0003'],
    ['SIGTERM', 'signal 15'],
  ])('%s ends it and gives the terminal back', async (_key, end) => {
    const { screens, exit, isRestored } = await play(words, 'wait fw1 is MASTER', end);
    expect(screens[0]?.[0]).toContain('fw1 is MASTER since');
    expect([exit, isRestored]).toEqual([0, true]);
  });

  test('who is MASTER stays in row one of a small screen and after a change of its size', async () => {
    const { screens } = await play(
      words,
      'size 10 40',
      'wait fw1 is MASTER',
      'wait fw1 is MASTER',
      'size 24 80',
      'wait 192.0.2.9|A  ',
      'key q',
    );
    expect(screens).not.toEqual([]);
    for (const rows of screens) expect(rows[0]).toContain('fw1 is MASTER');
    expect(screens[0]).toHaveLength(10);
    expect(screens.at(-1)).toHaveLength(24);
  });
});

test('top: a daemon that ends is line one, and one that comes back is MASTER again', async () => {
  const watching = start(
    ['top'],
    'wait ^fw1 is MASTER',
    'wait ^NO ANSWER',
    'wait ^fw1 is MASTER since',
    'key q',
  );
  await watching.waitForOutput('step 1 done', { timeout: 60_000 });
  await node.stop();
  await watching.waitForOutput('step 2 done', { timeout: 60_000 });
  await node.start();
  const { screens, exit } = await ended(watching);
  expect(screens[1]?.[0]).toMatch(/^NO ANSWER, nobody knows who is MASTER/);
  expect(screens[1]?.join('\n')).toContain('it said:');
  expect(screens[2]?.[0]).toContain('fw1 is MASTER');
  expect(exit).toBe(0);
});

test('top without a terminal: one screen without control sequences, or as many as asked for', async () => {
  const once = await node.cli('top');
  expect(once).toMatchObject({ exitCode: 0, stderr: '' });
  expect(once.stdout.split('\n')[0]).toContain('fw1 is MASTER');
  expect(once.stdout).not.toContain('\u001b');
  expect(once.stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
  const twice = await node.cli('top', '--frames', '2');
  expect(twice.stdout.match(/fw1 is MASTER since/g)).toHaveLength(2);
  // Adverts have a rate from the second answer on.
  expect(twice.stdout).toMatch(/\d\.\d out, 0\.0 in/);
  const head = await host.exec([
    ...['sh', '-c'],
    `${keepstateCommand().join(' ')} top --frames 50 --control ${node.controlPath} | head -n 1`,
  ]);
  expect(head).toContain('fw1 is MASTER');
});

test('top without a daemon says so, and 2', async () => {
  const { exitCode, stderr } = await host.tryExec([
    ...keepstateCommand(),
    ...['top', '--control', `${host.directory}/nobody.sock`],
  ]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('no daemon answers')]);
});

/**
 * A terminal as far as these commands use one: cursor home, end of line and below erased, second
 * screen, cursor shown or not; everything else on the screen counts as text.
 */
const terminalPython = `
import fcntl, json, os, pty, re, select, signal, struct, subprocess, sys, termios, time
task = json.loads(sys.argv[1])
steps = list(task['steps'])
main, side = pty.openpty()
rows, columns = 24, 80
def resize(r, c):
    global rows, columns
    rows, columns = r, c
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack('HHHH', r, c, 0, 0))
resize(24, 80)
if steps and steps[0].startswith('size'):
    _, r, c = steps.pop(0).split(); resize(int(r), int(c))
before = termios.tcgetattr(side)
child = subprocess.Popen(task['command'], stdin=side, stdout=side, stderr=side, start_new_session=True,
    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
text = ''
second, hidden = False, False
def read(seconds):
    global text, second, hidden
    ready, _, _ = select.select([main], [], [], seconds)
    if not ready: return False
    try: data = os.read(main, 65536).decode('utf8', 'replace')
    except OSError: return False
    text += data
    for what in re.findall(r'\\x1b\\[\\?(?:1049|25)[hl]', data):
        if what.endswith('1049h'): second = True
        if what.endswith('1049l'): second = False
        if what.endswith('25l'): hidden = True
        if what.endswith('25h'): hidden = False
    return True
def screen():
    # A frame is complete when what is below it was erased.
    frames = re.findall(r'\\x1b\\[H(.*?)\\x1b\\[J', text, re.S)
    if not frames: return None
    plain = re.sub(r'\\x1b\\[[0-9;]*[mK]', '', frames[-1])
    lines = []
    for line in plain.split('\\r\\n'):
        while len(line) > columns: lines.append(line[:columns]); line = line[columns:]
        lines.append(line)
    # What is too long for the screen scrolls its beginning away.
    lines = lines[-rows:]
    return lines + [''] * (rows - len(lines))
screens = []
deadline = time.time() + 60
for number, step in enumerate(steps):
    kind, _, rest = step.partition(' ')
    if kind == 'wait':
        shown = screen()
        while not (shown and len(shown) == rows and re.search(rest, '\\n'.join(shown))):
            if time.time() > deadline:
                print('no', rest, 'in', repr(text[-3000:])); child.kill(); sys.exit(1)
            read(0.2); shown = screen()
        screens.append(shown)
        text = ''
        print('step', number + 1, 'done')
    elif kind == 'size':
        r, c = rest.split(); text = ''; resize(int(r), int(c))
        os.killpg(child.pid, signal.SIGWINCH)
    elif kind == 'key': os.write(main, rest.encode())
    elif kind == 'signal': os.kill(child.pid, int(rest))
while child.poll() is None and time.time() < deadline: read(0.1)
while read(0.2): pass
child.poll() is None and child.kill()
restored = termios.tcgetattr(side) == before and not second and not hidden
print(json.dumps({'screens': screens, 'exit': child.wait(), 'isRestored': restored}))
`;
