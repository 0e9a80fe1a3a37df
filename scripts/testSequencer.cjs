'use strict';
/**
 * The order in which jest begins test files: slowest first, so that the last worker is not left
 * with a long one. The seconds stand in test/durations.json (scripts/recordDurations.cjs writes
 * it); what is not in it comes first, being new. Of unit tests random lives come first: jest leaves
 * an AsyncLocalStorage behind with each file, which every promise of later files pays for (280 s in
 * place of 7 behind 230 files).
 */
const { default: Sequencer } = require('@jest/test-sequencer');
const { relative } = require('node:path');
const seconds = require('../test/durations.json');

module.exports = class SlowestFirst extends Sequencer {
  sort(tests) {
    const known = (test) => seconds[relative(test.context.config.rootDir, test.path)];
    const isRecorded = Array.from(tests).some((test) => known(test) !== undefined);
    if (!isRecorded) {
      const isOfLives = (test) => /lives\.test\.ts$/i.test(test.path);
      const sorted = super.sort(tests);
      return [...sorted.filter(isOfLives), ...sorted.filter((test) => !isOfLives(test))];
    }
    const weight = (test) => known(test) ?? Infinity;
    return Array.from(tests).sort((a, b) => (weight(a) === weight(b) ? 0 : weight(b) - weight(a)));
  }
};
