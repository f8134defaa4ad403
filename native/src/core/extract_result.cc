#include "core/extract_result.hh"

#include "core/crc64.hh"
#include "core/errno_name.hh"

namespace layer_store {

namespace {

void appendText(std::string& out, const std::string& text) {
  appendUint32(out, static_cast<uint32_t>(text.size()));
  out += text;
}

}  // namespace

void appendUint32(std::string& out, uint32_t value) {
  const char bytes[4] = {static_cast<char>(value), static_cast<char>(value >> 8), static_cast<char>(value >> 16),
                         static_cast<char>(value >> 24)};
  out.append(bytes, sizeof bytes);
}

void appendWarnings(std::string& out, const std::vector<TreeWarning>& warnings) {
  appendUint32(out, static_cast<uint32_t>(warnings.size()));
  for (const TreeWarning& warning : warnings) {
    appendText(out, warning.syscall);
    appendText(out, errnoName(warning.error));
    appendText(out, warning.path);
    appendText(out, warning.detail);
  }
}

std::string packResult(const ExtractResult& result) {
  std::string out;
  out.reserve(12 + result.checksums.size() * 12 + result.displaced.size() * 4);
  appendUint32(out, static_cast<uint32_t>(result.checksums.size()));
  for (const FileChecksum& checksum : result.checksums) {
    appendUint32(out, checksum.fileIndex);
    uint8_t crc[8];
    crc64_store(checksum.crc, crc);
    out.append(reinterpret_cast<const char*>(crc), sizeof crc);
  }
  appendUint32(out, static_cast<uint32_t>(result.displaced.size()));
  for (const uint32_t index : result.displaced) appendUint32(out, index);
  appendWarnings(out, result.warnings);
  return out;
}

}  // namespace layer_store
