'use strict';
/**
 * Limit of a namespace test that sets none: its conditions are waited for with limits of their own.
 */
jest.setTimeout(300_000);
