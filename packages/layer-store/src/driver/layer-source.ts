import { type ApplyLayerOptions, applyLayer, type ByteSource } from '@x/archive';
import type { LayerSource, UnpackOptions } from './contract.js';

/** What the caller of {@link layerSource} decides; the driver decides the rest. */
export type LayerSourceOptions = Omit<
  ApplyLayerOptions,
  'whiteouts' | 'userXattr' | 'ownership' | 'xattrs' | 'devices' | 'recordOwners' | 'signal'
>;

/** Makes a {@link LayerSource} of an uncompressed tar stream. It can be unpacked once. */
export function layerSource(stream: ByteSource, options: LayerSourceOptions = {}): LayerSource {
  return {
    unpack: (directory: string, unpack: UnpackOptions) =>
      applyLayer(stream, directory, { ...options, ...unpack }),
  };
}
