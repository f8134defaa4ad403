// Names of the Linux error numbers.
#pragma once

#include <string>

namespace layer_store {

/** `ENOENT` for ENOENT; `E4242` for a number that has no name. */
std::string errnoName(int error);

}  // namespace layer_store
