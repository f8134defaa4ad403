import path from 'node:path';

/**
 * Where the store lives when `--root` is not given: `/var/lib/layer-store` for root, else `$XDG_DATA_HOME/layer-store`, else
 * `~/.local/share/layer-store` (XDG Base Directory Specification).
 */
export function dataDirectory(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
  home: string,
): string {
  if (uid === 0) return '/var/lib/layer-store';
  const base = env.XDG_DATA_HOME;
  return path.join(
    base !== undefined && path.isAbsolute(base) ? base : path.join(home, '.local/share'),
    'layer-store',
  );
}
