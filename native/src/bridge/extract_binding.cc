// NativeExtractor: core/extract_executor.hh on a thread of its own.
#include <napi.h>

#include <memory>
#include <string>

#include "bridge/arguments.hh"
#include "bridge/js_error.hh"
#include "bridge/register.hh"
#include "bridge/tree_job_thread.hh"
#include "bridge/twins.hh"
#include "core/extract_executor.hh"
#include "core/extract_result.hh"
#include "core/whole_io.hh"

namespace layer_store {

namespace {

WhiteoutFormat whiteoutFormat(Napi::Env env, const Napi::Object& options) {
  const std::string name = pathProperty(options, "whiteouts").value_or("delete");
  if (name == "delete") return WhiteoutFormat::remove;
  if (name == "overlay") return WhiteoutFormat::overlay;
  if (name == "aufs") return WhiteoutFormat::aufs;
  throw makeArgumentError(env, "ERR_INVALID_ARG_VALUE", "NativeExtractor: whiteouts must be delete, overlay or aufs");
}

bool reports(const Napi::Object& options, const char* name) {
  return pathProperty(options, name).value_or("fail") == "report";
}

ExtractOptions extractOptions(Napi::Env env, const Napi::Object& options) {
  ExtractOptions out;
  out.whiteouts = whiteoutFormat(env, options);
  out.userXattr = boolProperty(options, "userXattr", false);
  out.replaceAcrossTypes = boolProperty(options, "replaceAcrossTypes", true);
  out.replaceMergedXattrs = boolProperty(options, "replaceMergedXattrs", true);
  out.chown = boolProperty(options, "chown", true);
  out.impliedUid = static_cast<uid_t>(uint64Property(options, "impliedUid", 0));
  out.impliedGid = static_cast<gid_t>(uint64Property(options, "impliedGid", 0));
  out.report.ownership = reports(options, "ownership");
  out.report.xattrs = reports(options, "xattrs");
  out.report.devices = reports(options, "devices");
  out.stashDirectory = pathProperty(options, "stashDirectory").value_or("");
  return out;
}

class ExtractTask final : public Task {
 public:
  explicit ExtractTask(std::shared_ptr<Extractor> extractor) : extractor_(std::move(extractor)), finish_(true) {}
  ExtractTask(std::shared_ptr<Extractor> extractor, ByteView operations, ByteView chunk)
      : extractor_(std::move(extractor)), operations_(operations), chunk_(chunk) {}

  void execute() override {
    packed_ = packResult(finish_ ? extractor_->finish()
                                 : extractor_->run(operations_.data, operations_.size, chunk_.data, chunk_.size));
  }

  Napi::Value result(Napi::Env env) override { return Napi::Buffer<char>::Copy(env, packed_.data(), packed_.size()); }

 private:
  std::shared_ptr<Extractor> extractor_;
  ByteView operations_{nullptr, 0};
  ByteView chunk_{nullptr, 0};
  bool finish_ = false;
  std::string packed_;
};

/** `new NativeExtractor(root, options)`, `run(operations, chunk)`, `read(fd, buffer, position)`, `finish()`, `close()`. */
class NativeExtractor final : public Napi::ObjectWrap<NativeExtractor> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeExtractor",
                       {InstanceMethod<&NativeExtractor::run>("run"), InstanceMethod<&NativeExtractor::finish>("finish"),
                        InstanceMethod<&NativeExtractor::read>("read"),
                        InstanceMethod<&NativeExtractor::close>("close")});
  }

  explicit NativeExtractor(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeExtractor>(info) {
    const Arguments arguments(info, "NativeExtractor");
    try {
      extractor_ = std::make_shared<Extractor>(arguments.path(0), extractOptions(info.Env(), arguments.object(1)));
    } catch (const SysError& error) {
      throw makeJsError(info.Env(), error);
    }
    thread_ = std::make_unique<JobThread>(info.Env());
  }

 private:
  Napi::Value run(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "NativeExtractor.run");
    requireOpen(info.Env());
    auto task = std::make_unique<ExtractTask>(extractor_, arguments.view(0), arguments.view(1));
    return thread_->run(info.Env(), std::move(task), {info.This().As<Napi::Object>(), arguments.object(0), arguments.object(1)});
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "NativeExtractor.read");
    requireOpen(info.Env());
    const ByteView to = arguments.view(1);
    auto read = [fd = arguments.descriptor(0), to, position = arguments.uint64(2)] {
      return readWholeAt(fd, const_cast<uint8_t*>(to.data), to.size, position);
    };
    // Its turn comes between batches: two threads that each use a whole processor are better than three.
    return thread_->run(info.Env(), makeTask(std::move(read)), {info.This().As<Napi::Object>(), arguments.object(1)});
  }

  Napi::Value finish(const Napi::CallbackInfo& info) {
    requireOpen(info.Env());
    return thread_->run(info.Env(), std::make_unique<ExtractTask>(extractor_), {info.This().As<Napi::Object>()});
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    thread_->stop();
    extractor_.reset();
    return info.Env().Undefined();
  }

  void requireOpen(Napi::Env env) const {
    if (thread_->stopped() || !extractor_) throw makeArgumentError(env, "ERR_INVALID_STATE", "NativeExtractor: closed");
  }

  std::shared_ptr<Extractor> extractor_;
  std::unique_ptr<JobThread> thread_;
};

}  // namespace

void RegisterExtract(Napi::Env env, Napi::Object exports) { exports.Set("NativeExtractor", NativeExtractor::define(env)); }

}  // namespace layer_store
