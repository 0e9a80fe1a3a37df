/** The `http` block: what becomes of it, and what is refused. */
import { printNode } from '../../src/config/printNode.js';
import { ip } from '../support/vrrp/settings.js';
import { load } from './loading.js';

const block = (...lines: readonly string[]): string => `http {\n  ${lines.join('\n  ')}\n}\n`;

test('addresses, socket and networks, and the normal form keeps them', () => {
  const text = block(
    'listen 127.0.0.1 9642',
    'listen 2001:db8::1 80',
    'unix /run/keepstate/http.sock',
    'allow 10.0.0.0/8 192.0.2.7',
    'allow 2001:db8::/32',
  );
  const { settings, values } = load(text);
  expect(settings?.http).toEqual({
    listen: [
      { address: '127.0.0.1', port: 9642 },
      { address: '2001:db8::1', port: 80 },
    ],
    unixPath: '/run/keepstate/http.sock',
    allow: [
      { address: ip('10.0.0.0'), prefixLength: 8 },
      { address: ip('192.0.2.7'), prefixLength: 32 },
      { address: ip('2001:db8::'), prefixLength: 32 },
    ],
  });
  if (values === undefined) throw new Error('nothing was read');
  expect(load(printNode(values)).settings?.http).toEqual(settings?.http);
});

test('nothing is served without the block', () => {
  const { settings } = load('global_defs {\n  router_id a\n}\n');
  expect(settings).not.toHaveProperty('http');
});

test.each([
  [block(), 'missing-keyword'],
  [block('allow 10.0.0.0/8'), 'missing-keyword'],
  [block('listen fw1 80'), 'bad-value'],
  [block('listen 10.0.0.1 65536'), 'bad-value'],
  [block('listen 10.0.0.1'), 'missing-value'],
  [block('listen 10.0.0.1 80', 'allow 10.0.0.0/33'), 'bad-value'],
  [block(`unix /${'x'.repeat(120)}`), 'out-of-range'],
])('%j is refused: %s', (text, code) => {
  const { settings, problems } = load(text);
  expect(settings).toBeUndefined();
  expect(problems.map((problem) => problem.code)).toEqual([code]);
});
