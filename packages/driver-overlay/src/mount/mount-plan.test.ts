import { describe, expect, it } from '@jest/globals';
import { escapeMountPath, type MountDescription, type MountMeans, planMount } from './mount-plan.js';

const PAGE = 4096;
const MOUNT: MountMeans = { fsconfig: 'none', mount: true, pageSize: PAGE };
const TEXT: MountMeans = { fsconfig: 'text', mount: true, pageSize: PAGE };
const DESCRIPTOR: MountMeans = { fsconfig: 'descriptor', mount: true, pageSize: PAGE };

function describeMount(over: Partial<MountDescription> = {}): MountDescription {
  return {
    home: '/h',
    lowers: ['l/B', 'l/A'],
    writable: { upper: 'id/diff', work: 'id/work' },
    label: undefined,
    options: [],
    ...over,
  };
}

/** Docker's names: 26 letters, 64 hexadecimal digits. */
function dockerMount(count: number, over: Partial<MountDescription> = {}): MountDescription {
  const id = 'f'.repeat(64);
  return describeMount({
    home: '/var/lib/docker/overlay2',
    lowers: Array.from({ length: count }, (_, index) => `l/${String(index).padStart(26, 'A')}`),
    writable: { upper: `${id}/diff`, work: `${id}/work` },
    ...over,
  });
}

describe('a plan for mount(2)', () => {
  it('names everything absolutely while it fits', () => {
    expect(planMount(describeMount({ options: ['index=off', 'userxattr'] }), MOUNT)).toEqual({
      via: 'mount',
      data: 'index=off,userxattr,lowerdir=/h/l/B:/h/l/A,upperdir=/h/id/diff,workdir=/h/id/work',
      cwd: undefined,
    });
  });

  it('has no upper for a read-only view', () => {
    expect(planMount(describeMount({ writable: undefined }), MOUNT)).toMatchObject({
      data: 'lowerdir=/h/l/B:/h/l/A',
    });
  });

  it('quotes a label, whose commas separate nothing', () => {
    const label = 'system_u:object_r:container_file_t:s0:c1,c2';
    expect(planMount(describeMount({ label, writable: undefined }), MOUNT)).toMatchObject({
      data: `lowerdir=/h/l/B:/h/l/A,context="${label}"`,
    });
  });

  it('escapes what overlay would split at, and the escape itself', () => {
    expect(escapeMountPath('/a:b,c\\d')).toBe('/a\\:b\\,c\\\\d');
    expect(planMount(describeMount({ home: '/a:b,c\\d', writable: undefined }), MOUNT)).toMatchObject({
      data: 'lowerdir=/a\\:b\\,c\\\\d/l/B:/a\\:b\\,c\\\\d/l/A',
    });
  });

  it('keeps every option when names become relative (containers/storage dropped some)', () => {
    const options = ['index=off', 'userxattr', 'volatile'];
    const plan = planMount(dockerMount(128, { options, label: 'x_u:y_r:z_t:s0' }), MOUNT);
    expect(plan).toMatchObject({ via: 'mount', cwd: '/var/lib/docker/overlay2' });
    if (plan.via !== 'mount') throw new Error('not by mount(2)');
    const words = plan.data.split(',');
    expect(words.slice(0, 3)).toEqual(options);
    expect(words[3]?.split(':')).toHaveLength(128);
    expect(words.slice(4)).toEqual([
      `upperdir=${'f'.repeat(64)}/diff`,
      `workdir=${'f'.repeat(64)}/work`,
      'context="x_u:y_r:z_t:s0"',
    ]);
    expect(plan.data).not.toContain('/var/lib');
  });

  it('may fill a page but for the NUL behind it, and not one byte more', () => {
    const sized = (size: number): MountDescription => {
      const prefix = 'lowerdir='.length + '/'.length + 1 + '/'.length;
      return describeMount({ home: '/h', lowers: ['x'.repeat(size - prefix)], writable: undefined });
    };
    const fits = planMount(sized(PAGE - 1), MOUNT);
    expect(fits).toMatchObject({ via: 'mount', cwd: undefined });
    if (fits.via === 'mount') expect(fits.data).toHaveLength(PAGE - 1);
    expect(planMount(sized(PAGE), MOUNT)).toMatchObject({ via: 'mount', cwd: '/h' });
  });

  it('counts bytes, not characters', () => {
    const lowers = ['ä'.repeat(PAGE / 2)];
    expect(planMount(describeMount({ lowers, writable: undefined }), MOUNT)).toMatchObject({
      via: 'refused',
    });
  });

  it('is refused with the size when relative names do not fit either', () => {
    const plan = planMount(dockerMount(140), MOUNT);
    const size = 'lowerdir='.length + 140 * 29 - 1 + ',upperdir=,workdir='.length + 2 * 69;
    expect(plan).toMatchObject({ via: 'refused', code: 'DRIVER_NOT_SUPPORTED' });
    if (plan.via === 'refused') expect(plan.reason).toContain(`${size} bytes, mount(2) takes ${PAGE - 1}`);
  });
});

describe('a plan for fsconfig(2)', () => {
  it('gives each layer by itself, nearest first, after the options', () => {
    expect(
      planMount(describeMount({ options: ['index=off', 'volatile'], label: 'a:b' }), DESCRIPTOR),
    ).toEqual({
      via: 'fsopen',
      steps: [
        { kind: 'text', key: 'source', value: 'overlay' },
        { kind: 'text', key: 'index', value: 'off' },
        { kind: 'flag', key: 'volatile' },
        { kind: 'text', key: 'lowerdir+', value: '/h/l/B' },
        { kind: 'text', key: 'lowerdir+', value: '/h/l/A' },
        { kind: 'text', key: 'upperdir', value: '/h/id/diff' },
        { kind: 'text', key: 'workdir', value: '/h/id/work' },
        { kind: 'text', key: 'context', value: 'a:b' },
      ],
    });
  });

  it('escapes nothing: colons and commas mean nothing there', () => {
    expect(planMount(describeMount({ home: '/a:b,c', writable: undefined }), TEXT)).toMatchObject({
      steps: [
        { key: 'source' },
        { kind: 'text', value: '/a:b,c/l/B' },
        { kind: 'text', value: '/a:b,c/l/A' },
      ],
    });
  });

  it('opens what a text cannot name: 256 bytes and more, or a backslash', () => {
    const name = (length: number): string => 'x'.repeat(length - '/h/'.length);
    const plan = planMount(
      describeMount({ lowers: [name(255), name(256), 'a\\b'], writable: undefined }),
      DESCRIPTOR,
    );
    expect(plan).toMatchObject({
      steps: [
        { key: 'source' },
        { kind: 'text' },
        { kind: 'directory', path: `/h/${name(256)}` },
        { kind: 'directory' },
      ],
    });
  });

  it('falls to mount(2) where descriptors are not taken, unless that is switched off', () => {
    const description = describeMount({ home: `/${'x'.repeat(300)}` });
    expect(planMount(description, TEXT)).toMatchObject({ via: 'mount' });
    expect(planMount(description, { ...TEXT, mount: false })).toMatchObject({
      via: 'refused',
      code: 'DRIVER_NOT_SUPPORTED',
    });
  });

  it('takes 500 layers and refuses the 501st, which the kernel would (EINVAL)', () => {
    expect(planMount(dockerMount(500), DESCRIPTOR)).toMatchObject({ via: 'fsopen' });
    const refused = planMount(dockerMount(501), DESCRIPTOR);
    expect(refused).toMatchObject({ via: 'refused', code: 'LAYER_MAX_DEPTH' });
    if (refused.via === 'refused') expect(refused.reason).toContain('501');
  });

  it('is refused where the kernel has none and mount(2) is switched off', () => {
    expect(planMount(describeMount(), { ...MOUNT, mount: false })).toMatchObject({
      via: 'refused',
      code: 'DRIVER_NOT_SUPPORTED',
      reason: expect.stringContaining('Linux 6.7'),
    });
  });
});
