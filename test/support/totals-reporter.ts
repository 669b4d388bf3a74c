import type { Reporter, TestModule } from 'vitest/node';

/** Prints `N passed, N failed` as the last line of a run, for readers that know no vitest. */
class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const totals = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        totals[test.result().state] += 1;
      }
      // A file that fails before its first test has none to count.
      totals.failed += module.errors().length;
    }
    // After the summary, which the default reporter prints in the same event.
    setImmediate(() => console.log(`\n${totals.passed} passed, ${totals.failed} failed`));
  }
}

export default TotalsReporter;
