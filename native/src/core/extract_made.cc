#include "core/extract_made.hh"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/extract_batch.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

constexpr uint64_t kFree = 0;
constexpr uint64_t kErased = 1;
constexpr size_t kInitialSlots = 1024;

uint64_t mix(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

MadeObjects::MadeObjects() : slots_(kInitialSlots, Slot{kFree, kNoIndex}) {
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
  const uint64_t result = mix(state ^ rest, seed_[0] ^ (name.size() * 0xD6E8FEB86659FD93u));
  return result > kErased ? result : result + 2;
}

size_t MadeObjects::find(uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t at = static_cast<size_t>(hash) & mask;
  while (slots_[at].hash != hash && slots_[at].hash != kFree) at = (at + 1) & mask;
  return at;
}

void MadeObjects::grow() {
  std::vector<Slot> old(slots_.size() * 2, Slot{kFree, kNoIndex});
  old.swap(slots_);
  used_ = 0;
  for (const Slot& slot : old) {
    if (slot.hash == kFree || slot.hash == kErased) continue;
    slots_[find(slot.hash)] = slot;
    used_++;
  }
}

void MadeObjects::addName(const InodeKey& directory, std::string_view name, uint32_t fileIndex) {
  // At three quarters a search still takes a few steps only.
  if ((used_ + 1) * 4 > slots_.size() * 3) grow();
  const uint64_t key = hash(directory, name);
  Slot& slot = slots_[find(key)];
  if (slot.hash == kFree) used_++;
  slot = {key, fileIndex};
}

bool MadeObjects::hasName(const InodeKey& directory, std::string_view name) const {
  return slots_[find(hash(directory, name))].hash != kFree;
}

uint32_t MadeObjects::takeName(const InodeKey& directory, std::string_view name) {
  Slot& slot = slots_[find(hash(directory, name))];
  if (slot.hash == kFree) return kNoIndex;
  // Not free: searches for others lead across it.
  slot.hash = kErased;
  return std::exchange(slot.fileIndex, kNoIndex);
}

}  // namespace layer_store
