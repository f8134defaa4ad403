const project = (displayName, testMatch) => ({
  displayName,
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: {},
  testMatch: testMatch.map((pattern) => `<rootDir>/${pattern}`),
  modulePathIgnorePatterns: [],
});

/** Jest runs compiled output only (`npm test` builds first): the same bytes that ship. */
export default {
  projects: [
    project('unit', ['native/dist/**/*.test.js', 'packages/*/dist/**/*.test.js']),
    project('suites', ['test/dist/**/*.test.js']),
  ],
};
