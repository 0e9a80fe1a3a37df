/** All scripts, by the name of the file that holds their recordings. */
import type { Script } from '../script.js';
import { chanceScripts } from './chance.js';
import { lossScripts } from './losses.js';
import { packetScripts } from './packets.js';
import { requestScripts } from './requests.js';
import { takeoverScripts } from './takeovers.js';
import { translationScripts } from './translation.js';

export const scriptsBySubject: Readonly<Record<string, readonly Script[]>> = {
  packets: packetScripts,
  translation: translationScripts,
  takeovers: takeoverScripts,
  requests: requestScripts,
  losses: lossScripts,
  chance: chanceScripts,
};
