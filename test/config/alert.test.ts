/** The `alert` block and keepalived's mails: what becomes of them, and what is refused. */
import { seconds } from '../../src/base/time.js';
import { printNode } from '../../src/config/printNode.js';
import { instanceText, load, placesOf } from './loading.js';

const block = (...lines: readonly string[]): string => `alert {\n  ${lines.join('\n  ')}\n}\n`;

function sinksOf(text: string): unknown {
  const { settings, values } = load(text);
  if (values === undefined) throw new Error('nothing was read');
  expect(load(printNode(values)).settings?.alerts).toEqual(settings?.alerts);
  return settings?.alerts;
}

describe('the alert block', () => {
  test('commands and webhooks, each with what its block takes', () => {
    const text =
      block(
        'webhook https://alerts.example/x?token=a',
        'exec "/usr/local/bin/page --loud" nobody nogroup',
        'on role error role',
        'repeat 3600',
      ) + block('exec /bin/true');
    const first = { on: ['role', 'error'], repeat: seconds(3_600) };
    expect(sinksOf(text)).toEqual([
      {
        kind: 'exec',
        command: { words: ['/usr/local/bin/page', '--loud'], user: 'nobody', group: 'nogroup' },
        ...first,
      },
      { kind: 'webhook', url: 'https://alerts.example/x?token=a', ...first },
      { kind: 'exec', command: { words: ['/bin/true'] }, on: ['role', 'problem'] },
    ]);
  });

  test('nobody is told without it', () => {
    expect(load(instanceText()).settings).not.toHaveProperty('alerts');
  });

  test.each([
    [block(), 'missing-keyword'],
    [block('on role'), 'missing-keyword'],
    [block('webhook ftp://a/'), 'bad-value'],
    [block('webhook /a'), 'bad-value'],
    [block('webhook "https://a/#x"'), 'bad-value'],
    [block(`webhook https://a/${'x'.repeat(2_000)}`), 'bad-value'],
    [block('webhook'), 'missing-value'],
    [block('exec ""'), 'bad-value'],
    [block('exec /bin/true', 'on roles'), 'bad-value'],
    [block('exec /bin/true', 'on'), 'missing-value'],
    [block('exec /bin/true', 'repeat 9'), 'bad-value'],
    [block('exec /bin/true', 'repeat soon'), 'bad-value'],
    [block('exec /bin/true') + block('exec /bin/true', 'on role'), 'duplicate-name'],
    [block(...Array.from({ length: 17 }, (_, i) => `exec /bin/${i}`)), 'out-of-range'],
  ])('%.60j is refused: %s', (text, code) => {
    const { settings, problems } = load(text);
    expect(settings).toBeUndefined();
    expect(problems.map((problem) => problem.code)).toEqual([code]);
  });

  test('a near miss is named', () => {
    const { problems } = load(block('exec /bin/true', 'on rol problem'));
    expect(problems[0]).toMatchObject({ at: { line: 3, column: 6 }, nearest: 'role' });
  });

  test('a command that is not there, or calls for an unknown user, is a warning', () => {
    const machine = {
      interfaceExists: () => true,
      program: () => 'missing' as const,
      userExists: () => false,
      sysctl: () => undefined,
    };
    const result = load(block('exec "/opt/page now" pager'), { machine });
    expect(placesOf(result)).toEqual(['warning missing-script 2:3', 'warning missing-user 2:3']);
  });
});

describe("keepalived's mails", () => {
  const globals = (...lines: readonly string[]): string =>
    `global_defs {\n${['router_id fw1', ...lines].join('\n')}\n}\n`;
  const mailed = [
    ...['notification_email {', 'a@example.com', 'b@example.com c@example.com', '}'],
    'smtp_server 192.0.2.25',
  ];

  test('go where keepalived sends them, with its defaults', () => {
    expect(sinksOf(instanceText('smtp_alert', globals(...mailed)))).toEqual([
      {
        kind: 'mail',
        ...{ host: '192.0.2.25', port: 25, helo: 'node1.example' },
        from: 'keepalived@node1.example',
        to: ['a@example.com', 'b@example.com', 'c@example.com'],
        connectTimeout: seconds(30),
        ...{ routerId: 'fw1', instances: ['A'], groups: [], tellsFaults: true },
      },
    ]);
  });

  test('with everything set', () => {
    const text = globals(
      ...mailed.slice(0, -1),
      'notification_email_from fw@example.com',
      'smtp_server mail.example 2525',
      'smtp_helo_name fw1.example',
      'smtp_connect_timeout 5',
      'smtp_alert on',
      'no_email_faults',
    );
    const group = 'vrrp_sync_group G {\n group {\n A\n }\n}\n';
    expect(sinksOf(instanceText('', group + text))).toMatchObject([
      {
        ...{ host: 'mail.example', port: 2525, helo: 'fw1.example', from: 'fw@example.com' },
        connectTimeout: seconds(5),
        ...{ instances: ['A'], groups: ['G'], tellsFaults: false },
      },
    ]);
  });

  test.each([
    ['smtp_alert', 'smtp_alert off', 'smtp_alert', ['A']],
    ['', 'smtp_alert', '', ['A']],
    ['smtp_alert off', 'smtp_alert', '', undefined],
    ['', 'smtp_alert', 'smtp_alert_vrrp off', undefined],
    ['', 'smtp_alert off', 'smtp_alert_vrrp', ['A']],
    ['', '', '', undefined],
  ])('%j beside %j and %j: mails about %j', (own, all, vrrp, instances) => {
    const root = globals(...mailed, ...[all, vrrp].filter((line) => line !== ''));
    const sinks = sinksOf(instanceText(own, root)) as [{ instances: unknown }] | undefined;
    expect(sinks?.[0].instances).toEqual(instances);
  });

  test.each([
    [mailed.slice(0, -1), 'smtp_server'],
    [['smtp_server 192.0.2.25'], 'notification_email'],
    [[], 'smtp_server'],
  ])('with %j alone nothing is sent, and that is said', (lines, missing) => {
    const result = load(instanceText('smtp_alert', globals(...lines)));
    expect(result.settings).not.toHaveProperty('alerts');
    expect(result.problems.map(({ code, message }) => [code, message])).toEqual([
      [
        'mail-incomplete',
        `'smtp_alert' sends no mail: global_defs lacks ${missing}, as in keepalived`,
      ],
    ]);
  });

  test.each([
    ['smtp_server a@b', 'bad-value'],
    ['smtp_server 192.0.2.25 0', 'bad-value'],
    ['smtp_server 192.0.2.25 x', 'bad-value'],
    ['smtp_connect_timeout 0', 'bad-value'],
    ['smtp_alert maybe', 'bad-value'],
  ])('%s is refused', (line, code) => {
    const { settings, problems } = load(instanceText('', globals(line)));
    expect(settings).toBeUndefined();
    expect(problems.map((problem) => problem.code)).toEqual([code]);
  });
});
