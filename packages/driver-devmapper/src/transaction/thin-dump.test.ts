import { describe, expect, it } from '@jest/globals';
import { parseThinDump } from './thin-dump.js';

// thin_dump 0.9.0 --skip-mappings
const DUMP = `<superblock uuid="" time="1" transaction="5" flags="0" version="1" data_block_size="128" nr_data_blocks="1000">
  <device dev_id="1" mapped_blocks="1" transaction="0" creation_time="0" snap_time="1">
  </device>
  <device dev_id="7" mapped_blocks="0" transaction="4" creation_time="1" snap_time="1">
  </device>
</superblock>
`;

describe('a dump of the pool', () => {
  it('tells when each device was made', () => {
    expect([...parseThinDump(DUMP)]).toEqual([
      [1, 0],
      [7, 4],
    ]);
    const empty = DUMP.replace(/ {2}<device[\s\S]*<\/device>\n/, '');
    expect([...parseThinDump(empty)]).toEqual([]);
  });

  it('that was cut off proves nothing', () => {
    expect(() => parseThinDump(DUMP.slice(0, 300))).toThrow(
      expect.objectContaining({ code: 'DRIVER_FAILED' }),
    );
    expect(() => parseThinDump('')).toThrow(expect.objectContaining({ code: 'DRIVER_FAILED' }));
  });
});
