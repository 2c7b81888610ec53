import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages,services}/*/test/**/*.test.ts', 'tools/test/**/*.test.ts', 'tests/**/*.test.ts'],
    globalSetup: ['packages/testkit/src/redis-global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
