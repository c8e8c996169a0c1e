const common = {
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
    '^.+\\.sh$': '<rootDir>/test/support/text-transform.mjs',
  },
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  // Not in the system's temporary directory, where it would stay behind.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
};

export default {
  cacheDirectory: common.cacheDirectory,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    { ...common, displayName: 'redis', testMatch: ['<rootDir>/test/redis/**/*.test.ts'] },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'] },
  ],
  reporters: ['default', '<rootDir>/test/support/summary-reporter.mjs'],
  testSequencer: '<rootDir>/test/support/test-order.mjs',
  testTimeout: 60_000,
};
