/** Three projects: pure tests, time-bounded fuzzing, and tests that build network namespaces. */
const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.json', diagnostics: false }],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
};

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
      testPathIgnorePatterns: ['/node_modules/'],
    },
  ],
};
