#include "bridge/js_error.hh"

#include <cctype>
#include <cstring>

#include "core/errno_name.hh"

namespace layer_store {

namespace {

bool isUtf8(const std::string& text) {
  size_t i = 0;
  while (i < text.size()) {
    const unsigned char lead = static_cast<unsigned char>(text[i]);
    const size_t extra = lead < 0x80 ? 0 : lead >= 0xC2 && lead < 0xE0 ? 1 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xF0 && lead < 0xF5 ? 3 : 4;
    if (extra == 4 || i + extra >= text.size()) return false;
    for (size_t k = 1; k <= extra; k++) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += extra + 1;
  }
  return true;
}

/** File names are bytes: shown as text where they are UTF-8, one character per byte where not. */
std::string displayed(const std::string& path) {
  if (isUtf8(path)) return path;
  std::string out;
  for (const char c : path) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      out.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return out;
}

/** The C library's text, begun in lower case as node does ("no such file", but "RFS specific error"). */
std::string describe(int error) {
  char buffer[128];
  std::string text = ::strerror_r(error, buffer, sizeof buffer);
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1]))) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

}  // namespace

Napi::Error makeJsError(Napi::Env env, const SysError& error) {
  const std::string code = errnoName(error.error());
  std::string message = code + ": " + describe(error.error()) + ", " + error.syscall();
  if (!error.path().empty()) message += " '" + displayed(error.path()) + "'";
  if (!error.dest().empty()) message += " -> '" + displayed(error.dest()) + "'";
  if (!error.detail().empty()) message += ": " + displayed(error.detail());

  Napi::Error result = Napi::Error::New(env, message);
  result.Set("code", Napi::String::New(env, code));
  result.Set("errno", Napi::Number::New(env, -error.error()));
  result.Set("syscall", Napi::String::New(env, error.syscall()));
  if (!error.path().empty()) result.Set("path", Napi::String::New(env, displayed(error.path())));
  if (!error.dest().empty()) result.Set("dest", Napi::String::New(env, displayed(error.dest())));
  if (!error.detail().empty()) result.Set("detail", Napi::String::New(env, displayed(error.detail())));
  return result;
}

Napi::Error makeArgumentError(Napi::Env env, const char* code, const std::string& message) {
  Napi::TypeError error = Napi::TypeError::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

}  // namespace layer_store
