import { LayerStoreError } from '@x/archive';
import { loadNative, type NativeCalls } from '@x/native';

/** The addon's calls: nothing here works without them. @throws NATIVE_UNAVAILABLE */
export function requireNative(what: string): NativeCalls {
  const native = loadNative();
  if (native.available) return native.calls;
  throw new LayerStoreError('NATIVE_UNAVAILABLE', `${what} needs the addon: ${native.reason}`, {
    driver: 'devicemapper',
  });
}
