#include "core/openssl_digest.hh"

#include <dlfcn.h>

#include <stdexcept>

namespace layer_store {

namespace {

constexpr size_t kLongestDigest = 64;

/** The part of evp.h that is used. The signatures are stable API of OpenSSL 1.1 and 3. */
struct Evp {
  void* (*newContext)() = nullptr;
  void (*freeContext)(void*) = nullptr;
  const void* (*byName)(const char*) = nullptr;
  int (*init)(void*, const void*, void*) = nullptr;
  int (*update)(void*, const void*, size_t) = nullptr;
  int (*final)(void*, unsigned char*, unsigned int*) = nullptr;
  bool complete = false;
};

template <typename Function>
bool find(const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
  return function != nullptr;
}

const Evp& evp() {
  static const Evp found = [] {
    Evp functions;
    functions.complete = find("EVP_MD_CTX_new", functions.newContext) && find("EVP_MD_CTX_free", functions.freeContext) &&
                         find("EVP_get_digestbyname", functions.byName) &&
                         find("EVP_DigestInit_ex", functions.init) && find("EVP_DigestUpdate", functions.update) &&
                         find("EVP_DigestFinal_ex", functions.final);
    return functions;
  }();
  return found;
}

const void* digestNamed(const std::string& algorithm) {
  return evp().complete ? evp().byName(algorithm.c_str()) : nullptr;
}

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string(what) + ": refused by this process's OpenSSL");
}

}  // namespace

bool OpensslDigest::knows(const std::string& algorithm) { return digestNamed(algorithm) != nullptr; }

OpensslDigest::OpensslDigest(const std::string& algorithm) : context_(nullptr) {
  const void* digest = digestNamed(algorithm);
  require(digest != nullptr, "digest");
  context_ = evp().newContext();
  require(context_ != nullptr, "EVP_MD_CTX_new");
  if (evp().init(context_, digest, nullptr) == 1) return;
  evp().freeContext(context_);
  require(false, "EVP_DigestInit_ex");
}

OpensslDigest::~OpensslDigest() { evp().freeContext(context_); }

void OpensslDigest::update(const uint8_t* data, size_t size) {
  require(evp().update(context_, data, size) == 1, "EVP_DigestUpdate");
}

std::string OpensslDigest::finish() {
  unsigned char bytes[kLongestDigest];
  unsigned int length = 0;
  require(evp().final(context_, bytes, &length) == 1, "EVP_DigestFinal_ex");
  return std::string(reinterpret_cast<const char*>(bytes), length);
}

}  // namespace layer_store
