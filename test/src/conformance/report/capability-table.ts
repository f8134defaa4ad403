import type { DriverCapabilities } from '@x/layer-store';
import type { ConformanceReport } from '../runner/report.js';

interface Column {
  readonly title: string;
  readonly cell: (report: ConformanceReport, capabilities: DriverCapabilities) => string;
}

const yesNo = (claim: boolean): string => (claim ? 'yes' : 'no');

const COLUMNS: readonly Column[] = [
  { title: 'driver', cell: ({ driver }) => `\`${driver}\`` },
  { title: 'as', cell: ({ facts }) => (facts.root ? 'root' : 'user') },
  { title: 'checks', cell: (report) => verdict(report) },
  { title: 'native diff', cell: (_report, { nativeDiff }) => yesNo(nativeDiff) },
  { title: 'native changes', cell: (_report, { nativeChanges }) => yesNo(nativeChanges) },
  { title: 'mounts', cell: (_report, { mounts }) => yesNo(mounts) },
  { title: 'quota', cell: (_report, { quota }) => yesNo(quota) },
  { title: 'shares files', cell: (_report, { hardlinks }) => yesNo(hardlinks) },
  { title: 'whiteouts', cell: (_report, { whiteouts }) => whiteouts },
  { title: 'depth', cell: (_report, { maxDepth }) => String(maxDepth) },
  { title: 'rootless', cell: (_report, { rootless }) => yesNo(rootless) },
];

/** Markdown, the first two lines of the table of drivers. */
export const TABLE_HEAD: string = `${row(COLUMNS.map(({ title }) => title))}${row(COLUMNS.map(() => '---'))}`;

/** Markdown, a driver's line of the table: what it claims, and what came of holding it to that. */
export function tableRow(report: ConformanceReport): string {
  return row(COLUMNS.map(({ cell }) => cell(report, report.facts.capabilities)));
}

function verdict(report: ConformanceReport): string {
  if (report.unsupported !== undefined) return `cannot run here (${report.unsupported.code})`;
  const { passed, failed, notApplicable } = report.totals;
  const rest = notApplicable === 0 ? '' : `, ${notApplicable} not applicable`;
  return failed === 0 ? `${passed} pass${rest}` : `**${failed} fail**, ${passed} pass${rest}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}
