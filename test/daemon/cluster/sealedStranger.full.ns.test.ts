/** Ten million datagrams of strangers without the key, in about twenty minutes. */
import { strangersAreRefused } from '../../support/daemon/sealedStrangers.js';

jest.setTimeout(3_000_000);

strangersAreRefused(10_000_000, 6_000);
