import { seconds } from '../../../src/base/time.js';
import { nodeView } from '../../../src/daemon/web/nodeView.js';
import { sampleStatus } from '../../support/http/sampleView.js';
import { instanceSettings } from '../../support/vrrp/settings.js';

test("figures of now, delays in seconds, scripts by keepalived's words", async () => {
  const instance = instanceSettings({ name: 'A' });
  const garp = { ...instance.garp, masterDelay: seconds(5) };
  const verdicts = ['good', 'bad', 'disabled', 'unknown'] as const;
  const log: string[] = [];
  const view = await nodeView({
    settings: { vrrp: { instances: [{ ...instance, garp }] } },
    history: { entries: () => [] },
    supervisor: {
      refresh: () => {
        log.push('refresh');
        return Promise.resolve();
      },
    },
    status: () => {
      log.push('status');
      const scripts = verdicts.map((state) => ({
        ...{ name: state, state, lastEnd: '', running: state === 'bad' },
      }));
      return sampleStatus({ scripts });
    },
  });
  expect(log).toEqual(['refresh', 'status']);
  expect(view.garpDelays).toEqual({ A: 5 });
  expect(view.scripts.map(({ isRunning }) => isRunning)).toEqual([false, true, false, false]);
  expect(view.scripts.map(({ status }) => status)).toEqual(['GOOD', 'BAD', 'DISABLED', 'INIT']);
});
