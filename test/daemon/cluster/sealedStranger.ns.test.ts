/**
 * Strangers without the key; `sealedStranger.full.ns.test.ts` does it with a hundred times as many.
 */
import { strangersAreRefused } from '../../support/daemon/sealedStrangers.js';

jest.setTimeout(300_000);

strangersAreRefused(100_000, 6_000);
