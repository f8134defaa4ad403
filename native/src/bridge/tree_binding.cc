// copyTree and removeTree: core/tree_copy.hh and core/tree_remove.hh on the libuv pool.
#include <napi.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "bridge/arguments.hh"
#include "bridge/promise_runner.hh"
#include "bridge/register.hh"
#include "core/errno_name.hh"
#include "core/sys_error.hh"
#include "core/tree_copy.hh"
#include "core/tree_remove.hh"
#include "core/tree_thread.hh"

namespace layer_store {

namespace {

/** File names are bytes; latin-1 keeps them. */
Napi::String latin1(Napi::Env env, const std::string& bytes) {
  std::u16string wide(bytes.size(), u'\0');
  for (size_t i = 0; i < bytes.size(); i++) wide[i] = static_cast<unsigned char>(bytes[i]);
  return Napi::String::New(env, wide);
}

class CopyTask final : public Task {
 public:
  /** `cancel`: a byte of the caller's that stops the copy with ECANCELED once it is not 0; may be null. */
  CopyTask(std::string source, std::string target, const TreeCopyOptions& options, const uint8_t* cancel)
      : source_(std::move(source)), target_(std::move(target)), options_(options), cancel_(cancel) {}

  void execute() override {
    std::exception_ptr failure;
    // A thread of its own for its umask; the pool's thread waits.
    TreeThread thread;
    thread.post([&] {
      try {
        stats_ = TreeCopier(options_, warnings_, [this] { checkCancelled(); }).copyTree(source_, target_);
      } catch (...) {
        failure = std::current_exception();
      }
    });
    thread.stop();
    if (failure) std::rethrow_exception(failure);
  }

  Napi::Value result(Napi::Env env) override {
    Napi::Object out = Napi::Object::New(env);
    const auto count = [&](const char* name, uint64_t value) { out.Set(name, Napi::Number::New(env, static_cast<double>(value))); };
    count("files", stats_.files);
    count("directories", stats_.directories);
    count("links", stats_.links);
    count("others", stats_.others);
    count("bytes", stats_.bytes);
    count("warningsDropped", warnings_.dropped());
    const std::vector<TreeWarning> taken = warnings_.take();
    Napi::Array list = Napi::Array::New(env, taken.size());
    for (size_t i = 0; i < taken.size(); i++) {
      Napi::Object warning = Napi::Object::New(env);
      warning.Set("syscall", Napi::String::New(env, taken[i].syscall));
      warning.Set("errno", Napi::String::New(env, errnoName(taken[i].error)));
      warning.Set("path", latin1(env, taken[i].path));
      warning.Set("detail", latin1(env, taken[i].detail));
      list.Set(static_cast<uint32_t>(i), warning);
    }
    out.Set("warnings", list);
    return out;
  }

 private:
  void checkCancelled() const {
    if (cancel_ != nullptr && __atomic_load_n(cancel_, __ATOMIC_RELAXED) != 0) throw SysError(ECANCELED, "copyTree");
  }

  std::string source_;
  std::string target_;
  TreeCopyOptions options_;
  const uint8_t* cancel_;
  TreeWarnings warnings_;
  TreeCopyStats stats_;
};

class RemoveTask final : public Task {
 public:
  explicit RemoveTask(std::string path) : path_(std::move(path)) {}
  void execute() override { removeTree(path_); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  std::string path_;
};

bool reports(const Napi::Object& options, const char* name) {
  return pathProperty(options, name).value_or("fail") == "report";
}

/** copyTree(source, target, {mode, copyOpaque, xattrs, ownership, devices, cancel}): Promise of counts and warnings. */
Napi::Value copyTreeCall(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "copyTree");
  TreeCopyOptions options;
  std::vector<Napi::Object> keepAlive;
  const uint8_t* cancel = nullptr;
  if (!arguments.absent(2)) {
    const Napi::Object given = arguments.object(2);
    options.hardlink = pathProperty(given, "mode").value_or("content") == "hardlink";
    options.copyOpaque = boolProperty(given, "copyOpaque", false);
    options.report.xattrs = reports(given, "xattrs");
    options.report.ownership = reports(given, "ownership");
    options.report.devices = reports(given, "devices");
    const Napi::Value flag = given.Get("cancel");
    if (flag.IsTypedArray() && flag.As<Napi::TypedArray>().ByteLength() > 0) {
      cancel = flag.As<Napi::Uint8Array>().Data();
      keepAlive.push_back(flag.As<Napi::Object>());
    }
  }
  return runTask(info.Env(), std::make_unique<CopyTask>(arguments.path(0), arguments.path(1), options, cancel), keepAlive);
}

Napi::Value removeTreeCall(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "removeTree");
  return runTask(info.Env(), std::make_unique<RemoveTask>(arguments.path(0)));
}

}  // namespace

void RegisterTree(Napi::Env env, Napi::Object exports) {
  exports.Set("copyTree", Napi::Function::New<copyTreeCall>(env, "copyTree"));
  exports.Set("removeTree", Napi::Function::New<removeTreeCall>(env, "removeTree"));
}

}  // namespace layer_store
