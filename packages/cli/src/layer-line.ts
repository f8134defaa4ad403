import { formatSize } from '@x/archive';

/** A layer on one line for people. */
export function layerLine(layer: { readonly chainId: string; diffSize(): number }): string {
  return `${layer.chainId}  ${formatSize(layer.diffSize()).padStart(8)}`;
}
