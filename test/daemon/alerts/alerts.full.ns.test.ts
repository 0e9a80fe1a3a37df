/** The whole of what alerts.ns.test.ts does in short: a hundred role changes, a minute away. */
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { faultsOf, liveAlarms, untold } from '../../support/alert/alarmLife.js';

jest.setTimeout(1_200_000);

test('a hundred role changes, the process killed nine times, the receiver away for a minute', async () => {
  const lab = await Lab.open();
  try {
    const [host, other] = (await lab.hosts('one', 'two')) as [Host, Host];
    await lab.link(
      { host, name: 'wan', addresses: ['10.4.0.1/24'] },
      { host: other, name: 'wan', addresses: ['10.4.0.2/24'] },
    );
    const kills = [7, 18, 30, 41, 42, 55, 63, 88, 97];
    const { webhook, exec, mails, history } = await liveAlarms(host, {
      roleChanges: 100,
      kills,
      away: { before: 35, milliseconds: 60_000 },
    });
    expect(webhook.filter(({ kind }) => kind === 'role').length).toBeGreaterThanOrEqual(100);
    expect(faultsOf(webhook, kills.length)).toEqual([]);
    expect(faultsOf(exec, kills.length)).toEqual([]);
    expect(untold(history, webhook)).toEqual([]);
    expect(untold(history, exec)).toEqual([]);
    expect(mails.length).toBeGreaterThanOrEqual(100);
    const count = (all: readonly { readonly id: string }[]): string =>
      `${all.length} told, ${all.length - new Set(all.map(({ id }) => id)).size} of them twice`;
    process.stdout.write(
      `webhook: ${count(webhook)}; exec: ${count(exec)}; ${mails.length} mails\n`,
    );
  } finally {
    await lab.close();
  }
});
