import type { CheckFailure } from '../runner/report.js';
import { show } from '../structure.js';
import { treeDifference } from '../tree-difference.js';
import type { TreeSnapshot } from '../tree-snapshot.js';
import { describeEntry } from '../tree-snapshot.js';

/** Lines of one tree that a report for people shows. The JSON report has them all. */
const SHOWN = 20;

/** What failed, in which driver call, with the trees, for people. */
export function failureText(failure: CheckFailure): string {
  const code = failure.code === undefined ? '' : `${failure.code}: `;
  const lines = [`${code}${failure.message}`];
  if (failure.unstable === true) lines.push('(a second run of this check did not fail)');
  if (failure.call !== undefined)
    lines.push(`${failure.callEnded === true ? 'after' : 'in'} ${failure.call}`);
  if (failure.recentCalls.length > 1) lines.push('latest calls:', ...indent(failure.recentCalls));
  if (failure.trees !== undefined) lines.push(...comparison(failure.trees));
  else if (failure.expected !== undefined && !failure.message.includes(show(failure.expected))) {
    lines.push(`expected: ${show(failure.expected)}`, `found:    ${show(failure.actual)}`);
  }
  if (failure.home !== undefined) lines.push(...change(failure.home));
  return lines.join('\n');
}

function comparison(trees: { readonly expected: TreeSnapshot; readonly actual: TreeSnapshot }): string[] {
  const difference = treeDifference(trees.expected, trees.actual);
  return [
    `trees (- expected ${trees.expected.root}, + found ${trees.actual.root}):`,
    ...indent(cut(difference)),
  ];
}

function change(home: { readonly before: TreeSnapshot; readonly after: TreeSnapshot }): string[] {
  const difference = treeDifference(home.before, home.after);
  const before = ['home before the call:', ...indent(cut(home.before.entries.map(describeEntry)))];
  if (difference.length === 0) return [...before, 'home after the call: the same'];
  return [...before, 'home after the call (- gone, + new):', ...indent(cut(difference))];
}

function cut(lines: readonly string[]): readonly string[] {
  if (lines.length <= SHOWN) return lines;
  return [...lines.slice(0, SHOWN), `… ${lines.length - SHOWN} more`];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
