/**
 * Five projects: pure tests, time-bounded fuzzing, tests that build network namespaces and run side by side, those of
 * them that have the machine for themselves, and those with a browser.
 */
const { alone } = require('./scripts/testParts.cjs');

const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.json', diagnostics: false }],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
};

/** `*.full.ns.test.ts`: what has no part in the normal check. */
const onlyFull = process.env['KEEPSTATE_FULL'] === '1' ? [] : ['\\.full\\.ns\\.test\\.ts$'];

/** A test of the laboratory has minutes, not jest's five seconds. */
const setupFilesAfterEnv = ['<rootDir>/scripts/namespaceTimeout.cjs'];
const literally = (path) => path.replaceAll('.', '\\.');

module.exports = {
  testSequencer: '<rootDir>/scripts/testSequencer.cjs',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '\\.ns\\.test\\.ts$',
        '\\.fuzz\\.test\\.ts$',
        '\\.browser\\.test\\.ts$',
      ],
    },
    { ...shared, displayName: 'fuzz', testMatch: ['<rootDir>/test/**/*.fuzz.test.ts'] },
    {
      ...shared,
      displayName: 'namespace',
      testMatch: ['<rootDir>/test/**/*.ns.test.ts'],
      setupFilesAfterEnv,
      testPathIgnorePatterns: ['/node_modules/', ...alone.map(literally), ...onlyFull],
    },
    {
      ...shared,
      displayName: 'alone',
      setupFilesAfterEnv,
      testMatch: alone.map((path) => `<rootDir>/${path}`),
      testPathIgnorePatterns: ['/node_modules/'],
    },
    {
      ...shared,
      displayName: 'browser',
      setupFilesAfterEnv,
      testMatch: ['<rootDir>/test/**/*.browser.test.ts'],
    },
  ],
};
