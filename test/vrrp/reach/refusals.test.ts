import { ECONNREFUSED, ENETUNREACH, ENODEV, EPERM } from '../../../src/base/errno.js';
import { judgeRefusal } from '../../../src/vrrp/reach/refusals.js';

test.each([
  [ECONNREFUSED, 'lost', undefined],
  [ENODEV, 'noWay', 'there is no interface wan'],
  [ENETUNREACH, 'noWay', 'no route to it by wan: ip route add'],
  [
    EPERM,
    'unable',
    'a firewall rule of this node forbids the probe (EPERM): admit it in the output chain',
  ],
  [4_000, 'unable', 'errno 4000: errno 4000'],
])('errno %i is %s', (errno, kind, why) => {
  expect(judgeRefusal(errno, 'wan')).toEqual(why === undefined ? { kind } : { kind, why });
});
