/** What `layer-store --help` prints. */
export const USAGE = `usage: layer-store [--root DIR] [--driver NAME [--driver-option KEY=VALUE]...] [--json] COMMAND

Layers
  register [--parent CHAIN] TAR...   add layers, each on the one before; "-" is standard input
  export CHAIN [-o FILE]             the layer's tar stream, byte for byte as it was registered
  ls                                 the layers of the store
  inspect CHAIN                      everything known about one layer
  rm [--parents] CHAIN               remove a layer; with --parents also those below that nothing else needs
  prune [--keep CHAIN]...            remove every layer that no read-write layer and no kept layer needs
  status                             the driver and the store

Read-write layers
  rw create NAME [--parent CHAIN]    a writable layer on top of a layer, or empty
  rw mount NAME                      mount it and print the path
  rw unmount NAME
  rw changes NAME                    what differs from its parent: C changed, A added, D deleted
  rw export NAME [-o FILE]           those changes as a layer tar
  rw commit NAME                     register them as a layer on its parent
  rw ls
  rw rm NAME

Options
  --root DIR      where the store lives; default: a data directory of the user's own
  --driver NAME   the storage driver; default: the one the store has, else the best that works here
                  (overlay2, overlay, fuse-overlayfs, vfs, aufs, devicemapper)
  --driver-option KEY=VALUE   an option of the driver's own, e.g. dm.basesize=20G; the drivers' READMEs list them
  --json          one JSON object per line
  -h, --help      this text
  --version

Exit codes: 0 done, 1 failed (the error and its code on standard error), 2 wrong usage.
`;
