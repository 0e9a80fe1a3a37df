import { constants } from 'node:os';
import { outcomeOf, refusedSocketText } from '../../../src/net/socket/outcome.js';

const { EPERM, EACCES, EMFILE, ENFILE, ENOBUFS, EAFNOSUPPORT, ENODEV } = constants.errno;

test('only a missing right is a missing capability; other errnos say what they mean', () => {
  const text = (errno: number): string => refusedSocketText(errno, 'CAP_NET_RAW');
  expect(text(EPERM)).toBe('EPERM: operation not permitted: CAP_NET_RAW is needed');
  expect(text(EACCES)).toContain('CAP_NET_RAW is needed');
  expect(text(EMFILE)).toBe(
    'EMFILE: too many open files: raise LimitNOFILE of the service (ulimit -n)',
  );
  expect(text(ENFILE)).toContain('fs.file-max');
  expect(text(EAFNOSUPPORT)).toContain('this kernel lacks it');
  expect(text(ENODEV)).toBe('ENODEV: no such device');
  for (const errno of [EMFILE, ENFILE, ENOBUFS, EAFNOSUPPORT, ENODEV]) {
    expect(text(errno)).not.toContain('CAP_');
  }
});

test('an errno that the system does not name is still a refusal', () => {
  expect(outcomeOf(4_000)).toMatchObject({ kind: 'refused', errno: 4_000 });
});
