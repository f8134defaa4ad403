// Results of a batch as one run of bytes, which costs JavaScript one buffer instead of an object per file.
#pragma once

#include <string>

#include "core/extract_executor.hh"

namespace layer_store {

/**
 * Little endian: u32 count, then per checksum u32 fileIndex and 8 bytes CRC big endian; u32 count, then u32 fileIndex per
 * displaced payload; u32 count, then per warning four strings (call, errno name, path, detail), each u32 length and bytes.
 */
std::string packResult(const ExtractResult& result);

void appendUint32(std::string& out, uint32_t value);
void appendWarnings(std::string& out, const std::vector<TreeWarning>& warnings);

}  // namespace layer_store
