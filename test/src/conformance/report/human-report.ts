import type { CheckResult, ConformanceReport } from '../runner/report.js';
import { failureText } from './failure-text.js';

const MARK = { pass: 'ok  ', fail: 'FAIL', 'not-applicable': 'n/a ' } as const;
/** Checks that took longer say how long. Milliseconds. */
const NOTABLE = 1000;

/** The lines for one result. */
export function resultText(result: CheckResult): string {
  const time = result.milliseconds >= NOTABLE ? ` (${(result.milliseconds / 1000).toFixed(1)} s)` : '';
  const line = `${MARK[result.outcome]} ${result.family}: ${result.name}`;
  if (result.outcome === 'pass') return `${line}${time}\n`;
  if (result.outcome === 'not-applicable') return `${line} — ${result.reason}\n`;
  const details = failureText(result.failure).replaceAll('\n', '\n       ');
  return `${line}${time}\n       ${details}\n`;
}

/** The last lines: totals, and everything that was not run, by reason. */
export function summaryText(report: ConformanceReport): string {
  if (report.unsupported !== undefined) {
    const { code, reason, remedy } = report.unsupported;
    return `${report.driver} cannot run here: ${code}: ${reason}; ${remedy}\n`;
  }
  const { passed, failed, notApplicable } = report.totals;
  const reasons = new Map<string, number>();
  for (const result of report.results) {
    if (result.outcome === 'not-applicable')
      reasons.set(result.reason, (reasons.get(result.reason) ?? 0) + 1);
  }
  const warnings = report.warnings.map((warning) => `  warning: ${warning}\n`);
  const unrun = [...reasons].map(([reason, count]) => `  not applicable: ${count} — ${reason}\n`);
  const verdict = report.ok ? 'conforms' : passed + failed === 0 ? 'was not checked' : 'does not conform';
  return `\n${report.driver} ${verdict}: ${passed} passed, ${failed} failed, ${notApplicable} not applicable\n${unrun.join('')}${warnings.join('')}`;
}
