// Open-file-description locks: they belong to the open file, not to the process, so closing another descriptor of the
// same file does not lose them (spec/dependencies.md A3), and they go when the last descriptor of that open goes.
#pragma once

namespace layer_store {

enum class LockKind { shared, exclusive };

/** Locks the whole file without waiting. False: somebody else holds it. `fd` must be open for what the kind does (write for exclusive). */
bool ofdLock(int fd, LockKind kind);
void ofdUnlock(int fd);
/** Linux 3.15. */
bool hasOfdLocks();

}  // namespace layer_store
