#include "core/extract_made.hh"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "core/extract_batch.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

uint64_t mix(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

MadeObjects::MadeObjects() {
  if (::getrandom(seed_, sizeof seed_, 0) != static_cast<ssize_t>(sizeof seed_)) throw SysError(errno, "getrandom");
  seed_[1] |= 1;
}

uint64_t MadeObjects::hash(const InodeKey& directory, std::string_view name) const {
  uint64_t state = mix(directory.ino ^ seed_[0], directory.dev ^ seed_[1]);
  size_t at = 0;
  for (; at + 8 <= name.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, name.data() + at, 8);
    state = mix(state ^ word, seed_[1] ^ 0x9E3779B97F4A7C15u);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, name.data() + at, name.size() - at);
  return mix(state ^ rest, seed_[0] ^ (name.size() * 0xD6E8FEB86659FD93u));
}

void MadeObjects::addName(const InodeKey& directory, std::string_view name, uint32_t fileIndex) {
  names_[hash(directory, name)] = fileIndex;
}

bool MadeObjects::hasName(const InodeKey& directory, std::string_view name) const {
  return names_.count(hash(directory, name)) != 0;
}

uint32_t MadeObjects::takeName(const InodeKey& directory, std::string_view name) {
  const auto found = names_.find(hash(directory, name));
  if (found == names_.end()) return kNoIndex;
  const uint32_t index = found->second;
  names_.erase(found);
  return index;
}

}  // namespace layer_store
