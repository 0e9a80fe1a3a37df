import { EINVAL } from '../../../src/base/errno.js';
import { onSignalNumber } from '../../../src/net/socket/realTimeSignals.js';
import { waitFor } from '../../lab/waitFor.js';

const SIGRTMIN_PLUS_2 = 36;

test('a real-time signal is a call, each time, and does not end the process', async () => {
  let calls = 0;
  expect(onSignalNumber(SIGRTMIN_PLUS_2, () => calls++)).toEqual({ kind: 'done' });
  for (const round of [1, 2]) {
    process.kill(process.pid, SIGRTMIN_PLUS_2);
    await waitFor(() => calls === round);
  }
});

test('what is no signal, or cannot be caught, is refused with its errno', () => {
  for (const number of [0, 9, 4_096]) {
    expect(onSignalNumber(number, () => undefined)).toMatchObject({
      kind: 'refused',
      errno: EINVAL,
    });
  }
});
