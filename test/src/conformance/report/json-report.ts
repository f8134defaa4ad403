import type { CheckResult, ConformanceReport } from '../runner/report.js';

/** One result as a line of JSON: `{"type":"check","family":…,"name":…,"outcome":…}`. */
export function resultLine(result: CheckResult): string {
  return `${stringify({ type: 'check', ...result })}\n`;
}

/** The end of a run as a line of JSON: `{"type":"summary","driver":…,"ok":…,"passed":…}`. */
export function summaryLine(report: ConformanceReport): string {
  const { driver, facts, unsupported, warnings, totals, ok } = report;
  return `${stringify({ type: 'summary', driver, ok, ...totals, facts, warnings, unsupported })}\n`;
}

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => {
    if (typeof field === 'bigint') return field.toString();
    if (ArrayBuffer.isView(field))
      return { bytes: Buffer.from(field.buffer, field.byteOffset, field.byteLength).toString('hex') };
    return field;
  });
}
