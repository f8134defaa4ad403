// Copying content within the kernel, and finding holes.
#pragma once

#include <cstdint>
#include <optional>

namespace layer_store {

/** FICLONE: `destination` shares all blocks of `source` until either is written. EOPNOTSUPP, EXDEV, EINVAL where it cannot. */
void ficlone(int destination, int source);
/** What is known of FICLONE in this process: nothing until tried; it depends on the file system. */
std::optional<bool> ficloneSeen();

/** copy_file_range(2), once; without an offset the descriptor's own position is used and moved. 0 at the end of the source. */
uint64_t copyFileRange(int source, std::optional<int64_t> sourceOffset, int destination,
                       std::optional<int64_t> destinationOffset, uint64_t length);

/** First data (or hole) at or after `offset`; nothing past the end (ENXIO). Moves the descriptor's position. */
std::optional<int64_t> seekData(int fd, int64_t offset);
std::optional<int64_t> seekHole(int fd, int64_t offset);

}  // namespace layer_store
