/**
 * Who watches a layer being unpacked: the layer store's tar-split writer (spec/layer-archive.md 3.5, 3.9). Calls come
 * synchronously in stream order; `file` decides nothing, it is told what the planner decided.
 */
export interface LayerRecorder {
  /** Every byte that is not the payload of a recorded file: headers, padding, trailer, inlined payload. */
  segment(bytes: Uint8Array, start: number, end: number): void;
  /**
   * An entry. `size` > 0: its payload is not in the segments but read back from the layer by `name`, its CRC-64 follows
   * through `checksum(fileIndex)`. `size` 0: nothing is read back (directories, links, and every entry whose payload is
   * inlined as segments after this call); `fileIndex` is then NO_INDEX.
   */
  entry(name: Uint8Array, size: number, fileIndex: number): void;
  /** The CRC-64/ISO of a payload announced by `entry`, 8 bytes big endian; in order of fileIndex. */
  checksum(fileIndex: number, crc: Uint8Array): void;
  /** The payload was destroyed by a later entry of this layer; its bytes are in the stash directory under this number. */
  displaced(fileIndex: number): void;
}
