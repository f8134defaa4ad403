import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';
import { bindReadOnly, mountReadOnly } from './read-only-view.js';

const withMounts = IS_ROOT && native.available ? describe : describe.skip;
const calls = native.available ? native.calls : undefined;

let area: TestArea;
beforeEach(() => {
  area = new TestArea();
  area.directory('tree');
  area.directory('view');
  writeFileSync(area.at('tree/file'), 'content');
});
afterEach(() => area[Symbol.dispose]());

withMounts.each([
  ['attached', mountReadOnly],
  ['bound, as on old kernels', (tree: string, target: string) => bind(tree, target)],
])('a read-only view, %s', (_how, mount) => {
  it('shows the tree and cannot be written to, while the tree can', async () => {
    await mount(area.at('tree'), area.at('view'));
    try {
      expect(readFileSync(area.at('view/file'), 'utf8')).toBe('content');
      for (const name of ['view/file', 'view/new']) {
        expect(() => writeFileSync(area.at(name), 'x')).toThrow(expect.objectContaining({ code: 'EROFS' }));
      }
      writeFileSync(area.at('tree/new'), 'x');
      expect(existsSync(area.at('view/new'))).toBe(true);
    } finally {
      execFileSync('umount', [area.at('view')]);
    }
  });

  it('is not mounted over what is missing', async () => {
    await expect(mount(area.at('nothing'), area.at('view'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(area.path);
  });
});

async function bind(tree: string, target: string): Promise<void> {
  if (calls !== undefined) await bindReadOnly(calls, tree, target);
}
