// From one reading of the arguments to the two functions JavaScript sees: `fooSync` on the caller's thread and `foo` on
// the libuv pool, or on a thread of its own.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bridge/arguments.hh"
#include "bridge/js_error.hh"
#include "bridge/promise_runner.hh"

namespace layer_store {

// Results to JavaScript. A group with structures of its own overloads `toJs` in its file, in this namespace.
struct Nothing {};

inline Napi::Value toJs(Napi::Env env, Nothing) { return env.Undefined(); }
inline Napi::Value toJs(Napi::Env env, bool value) { return Napi::Boolean::New(env, value); }
inline Napi::Value toJs(Napi::Env env, int value) { return Napi::Number::New(env, value); }
inline Napi::Value toJs(Napi::Env env, uint32_t value) { return Napi::Number::New(env, value); }
inline Napi::Value toJs(Napi::Env env, int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }
inline Napi::Value toJs(Napi::Env env, uint64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }
inline Napi::Value toJs(Napi::Env env, const std::string& bytes) {
  return Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size());
}
inline Napi::Value toJs(Napi::Env env, const std::vector<std::string>& list) {
  Napi::Array array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) array.Set(static_cast<uint32_t>(i), toJs(env, list[i]));
  return array;
}
template <typename T>
Napi::Value toJs(Napi::Env env, const std::optional<T>& value) {
  return value ? toJs(env, *value) : env.Undefined();
}

namespace twins {

/** Runs a call, with `Nothing` for those that return void. */
template <typename Call>
auto invoke(const Call& call) {
  if constexpr (std::is_void_v<std::invoke_result_t<const Call&>>) {
    call();
    return Nothing{};
  } else {
    return call();
  }
}

template <typename Call>
class CallTask final : public Task {
 public:
  explicit CallTask(Call call) : call_(std::move(call)) {}
  void execute() override { result_.emplace(invoke(call_)); }
  Napi::Value result(Napi::Env env) override { return toJs(env, *result_); }

 private:
  Call call_;
  std::optional<decltype(invoke(std::declval<const Call&>()))> result_;
};

}  // namespace twins

/** A task of a call: it owns what it uses, touches no JavaScript and may throw SysError. */
template <typename Call>
std::unique_ptr<Task> makeTask(Call call) {
  return std::make_unique<twins::CallTask<Call>>(std::move(call));
}

/** Where the promise form runs. */
enum class RunsOn {
  pool,
  /** For calls that may wait long, perhaps for what other calls in the pool are to do. */
  ownThread,
};

/**
 * Defines `nameSync` and `name` on `exports`. `read(const Arguments&)` converts the arguments, on the JavaScript thread,
 * and returns the call to make: a callable that owns what it uses, touches no JavaScript and throws SysError.
 * `name` must be a string literal.
 */
template <typename Read>
void defineTwins(Napi::Object exports, const char* name, Read read, RunsOn where = RunsOn::pool) {
  const Napi::Env env = exports.Env();
  const std::string syncName = std::string(name) + "Sync";
  exports.Set(syncName, Napi::Function::New(
                            env,
                            [name, read](const Napi::CallbackInfo& info) -> Napi::Value {
                              try {
                                const auto call = read(Arguments(info, name));
                                return toJs(info.Env(), twins::invoke(call));
                              } catch (const SysError& error) {
                                throw makeJsError(info.Env(), error);
                              }
                            },
                            syncName));
  exports.Set(name, Napi::Function::New(
                        env,
                        [name, read, where](const Napi::CallbackInfo& info) -> Napi::Value {
                          auto call = read(Arguments(info, name));
                          auto task = makeTask(std::move(call));
                          return where == RunsOn::pool ? runTask(info.Env(), std::move(task))
                                                       : runOnOwnThread(info.Env(), std::move(task));
                        },
                        name));
}

}  // namespace layer_store
