/**
 * The expected digests are of archives written by Go's archive/tar, driven as Docker's archiver drives it (format
 * PAX, whole seconds, no names, mode reduced as the version does), from the same tree.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BOTH_WAYS, collect, IS_ROOT, Scratch } from '../root/temporary-tree.test.support.js';
import { createArchive } from './create-archive.js';

const DOCKER_24 = 'aab036a460dd0ff57ea66074edc3ada1adf6ffb9accaae8b03e57c96cdd1102d';
const DOCKER_23 = 'aafab1ec730a771373e378ea25636cc7198582b2b671b725dd96dbbcb8c1006a';
const CAPABILITY = '0x0100000200200000000000000000000000000000';

(IS_ROOT ? describe : describe.skip)('bytes of an archive, compared with Docker', () => {
  let scratch: Scratch;
  let umask: number;
  beforeAll(() => {
    umask = process.umask(0o022);
    scratch = new Scratch();
    const root = scratch.tree('golden', {
      'bin/ping': { file: 'ELF', mode: 0o4755 },
      'bin/ping4': { link: 'bin/ping' },
      caps: { file: 'c', mode: 0o755 },
      'dev/null': { device: ['c', 1, 3] },
      'dev/pipe': { fifo: true },
      'etc/long-link': { symlink: 'x'.repeat(120) },
      'etc/passwd': { file: 'root:x:0:0', mode: 0o644, mtime: 1_600_000_000.75 },
      'etc/empty': { file: '', owner: [3_000_000, 65_534] },
      [`${'d'.repeat(90)}/${'e'.repeat(90)}`]: { file: 'splits' },
      ['n'.repeat(130)]: { file: 'pax' },
      'names/é': { file: 'utf8' },
      old: { file: 'x' },
      sticky: { dir: true, mode: 0o1777 },
      big: { file: Buffer.alloc(300_000, 'abc') },
    });
    // Node takes a negative time for the present.
    execFileSync('touch', ['-d', '@-1.5', `${root}/old`]);
    execFileSync('setfattr', ['-n', 'security.capability', '-v', CAPABILITY, `${root}/caps`]);
  });
  afterAll(() => {
    process.umask(umask);
    scratch[Symbol.dispose]();
  });

  it.each(BOTH_WAYS)('are those of Docker from v24 on, $way', async ({ portable }) => {
    expect(sha256(await collect(createArchive(scratch.at('golden'), { portable })))).toBe(DOCKER_24);
  });

  it('are those of Docker up to v23 when mode bits are preserved', async () => {
    expect(sha256(await collect(createArchive(scratch.at('golden'), { preserveModeBits: true })))).toBe(
      DOCKER_23,
    );
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
