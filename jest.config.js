/** Tests that need the guest of `npm run test:kernel`, and run nowhere else. */
const kernelTest = '\\.kernel\\.test\\.js$';
const inGuest = process.env.LAYER_STORE_KERNEL_GUEST === '1';

const project = (displayName, testMatch, ignored = [kernelTest]) => ({
  displayName,
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: {},
  testMatch: testMatch.map((pattern) => `<rootDir>/${pattern}`),
  testPathIgnorePatterns: ['/node_modules/', ...ignored],
  modulePathIgnorePatterns: [],
});

/** Jest runs compiled output only (`npm test` builds first): the same bytes that ship. */
export default {
  // Against hanging, not a measure of speed: machines are slow when they are busy.
  testTimeout: 60_000,
  projects: [
    project('unit', ['native/dist/**/*.test.js', 'packages/*/dist/**/*.test.js']),
    project('suites', ['test/dist/**/*.test.js']),
    ...(inGuest
      ? [
          project(
            'kernel',
            ['{native,test}/dist/**/*.kernel.test.js', 'packages/*/dist/**/*.kernel.test.js'],
            [],
          ),
        ]
      : []),
  ],
};
