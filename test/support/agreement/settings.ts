/** Settings of the agreement as a pair has them that changes no default. */
import { milliseconds, seconds } from '../../../src/base/time.js';
import type { AgreementSettings } from '../../../src/agreement/settings.js';

export const agreementSettings: AgreementSettings = {
  node: '10.0.0.1',
  paths: [
    { name: 'lan', kind: 'segment' },
    { name: 'wan', kind: 'segment' },
    { name: 'sync', kind: 'link' },
  ],
  beatInterval: milliseconds(20),
  peerSilence: undefined,
  hasRealTime: true,
  masterDown: milliseconds(3_600),
  moveHold: seconds(10),
  rise: seconds(3),
  preempts: true,
  hasKey: true,
  lastResort: true,
  arbiter: 'none',
};
