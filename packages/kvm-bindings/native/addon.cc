// What the addon exports: functions that make handles, and host I/O. No KVM structure: linux/kvm.h is wrong in C++.
#include <cerrno>
#include <string>
#include <vector>

#include "handle.h"

namespace {

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports);
  ~Addon() {
    kvmkit_thread_destroy(environment->thread);
    environment->views->Release();
  }

  std::shared_ptr<Environment> environment;
  Napi::FunctionReference handle_class;

 private:
  static napi_value Run(napi_env env, napi_callback_info info);
  Napi::Value Open(const Napi::CallbackInfo& info);
  Napi::Value AllocateMemory(const Napi::CallbackInfo& info);
  Napi::Value CreateStop(const Napi::CallbackInfo& info);
  Napi::Value Attach(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value Poll(const Napi::CallbackInfo& info);
  Napi::Value OpenBeneath(const Napi::CallbackInfo& info);
  Napi::Value EventFd(const Napi::CallbackInfo& info);
  Napi::Value Detach(const Napi::CallbackInfo& info);
};

Addon::Addon(Napi::Env env, Napi::Object exports)
    : environment(new Environment{kvmkit_thread_create(), new Views(env)}),
      handle_class(Napi::Persistent(Handle::Define(env))) {
  if (!environment->thread) throw Napi::Error::New(env, "out of memory");
  DefineAddon(exports, {
                           InstanceMethod<&Addon::Open>("open"),
                           InstanceMethod<&Addon::AllocateMemory>("allocateMemory"),
                           InstanceMethod<&Addon::CreateStop>("createStop"),
                           InstanceMethod<&Addon::Attach>("attach"),
                           InstanceMethod<&Addon::Read>("read"),
                           InstanceMethod<&Addon::Write>("write"),
                           InstanceMethod<&Addon::Poll>("poll"),
                           InstanceMethod<&Addon::OpenBeneath>("openBeneath"),
                           InstanceMethod<&Addon::EventFd>("eventfd"),
                           InstanceMethod<&Addon::Detach>("detach"),
                       });
  napi_value run;
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, Run, environment.get(), &run);
  exports.Set("run", Napi::Value(env, run));
}

// run(): KVM_RUN of the selected vCPU, once per exit. Plain Node-API without a receiver or an argument to check: a
// third of the instructions of the other methods, and after an exit they all come from a cold cache.
napi_value Addon::Run(napi_env env, napi_callback_info info) {
  void* data;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  auto* environment = static_cast<Environment*>(data);
  int reason = environment->selected ? kvmkit_vcpu_run(environment->selected, environment->thread) : KVMKIT_E_CLOSED;
  napi_value result;
  napi_create_int32(env, reason, &result);
  return result;
}

// open(path)
Napi::Value Addon::Open(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) return Result(info.Env(), KVMKIT_E_ARGUMENT);
  kvmkit_fd* fd = nullptr;
  int error = kvmkit_open(info[0].As<Napi::String>().Utf8Value().c_str(), &fd);
  return HandleOr(info.Env(), error, fd);
}

// allocateMemory(size, fd | -1, fileOffset, flags)
Napi::Value Addon::AllocateMemory(const Napi::CallbackInfo& info) {
  uint64_t size = Unsigned(info[0], kMaxSafe, kInvalid);
  uint64_t offset = Unsigned(info[2], kMaxSafe, kInvalid);
  uint64_t flags = Unsigned(info[3], 3, kInvalid);
  if (size == kInvalid || offset == kInvalid || flags == kInvalid || !info[1].IsNumber())
    return Result(info.Env(), KVMKIT_E_ARGUMENT);
  kvmkit_memory* memory = nullptr;
  int error = kvmkit_memory_create(size, info[1].As<Napi::Number>().Int32Value(), static_cast<off_t>(offset),
                                   static_cast<unsigned>(flags), &memory);
  return HandleOr(info.Env(), error, memory);
}

Napi::Value Addon::CreateStop(const Napi::CallbackInfo& info) {
  kvmkit_stop* stop = nullptr;
  int error = kvmkit_stop_create(&stop);
  return HandleOr(info.Env(), error, stop);
}

// attach(id, types): another handle to an object that any thread of the process has open
Napi::Value Addon::Attach(const Napi::CallbackInfo& info) {
  uint64_t id = Unsigned(info[0], kMaxSafe, 0);
  unsigned types = static_cast<unsigned>(Unsigned(info[1], UINT32_MAX, 0));
  kvmkit_object* object = kvmkit_object_find(id, types);
  return HandleOr(info.Env(), object ? 0 : KVMKIT_E_NO_SUCH_ID, object);
}

// The stop of a host I/O call: undefined, or an open handle.
bool StopOf(const Napi::Value& value, kvmkit_stop** stop, int* error) {
  *stop = nullptr;
  if (value.IsUndefined()) return true;
  Handle* handle = Handle::From(value);
  *stop = handle ? handle->Get<kvmkit_stop>(KVMKIT_STOP) : nullptr;
  *error = handle ? handle->Missing() : KVMKIT_E_ARGUMENT;
  return *stop != nullptr;
}

using Transfer = int64_t (*)(kvmkit_thread*, kvmkit_stop*, int, const kvmkit_io_vector*, size_t, int64_t);

// (fd, views, first, stop?, position | -1): one transfer, from the view with index `first` on
Napi::Value TransferViews(const Napi::CallbackInfo& info, kvmkit_thread* thread, Transfer transfer) {
  Napi::Env env = info.Env();
  kvmkit_stop* stop;
  int error = 0;
  if (!StopOf(info[3], &stop, &error)) return Result(env, error);
  if (!info[0].IsNumber() || !info[1].IsArray() || !info[4].IsNumber()) return Result(env, KVMKIT_E_ARGUMENT);
  auto views = info[1].As<Napi::Array>();
  std::vector<kvmkit_io_vector> vectors;
  for (uint64_t i = Unsigned(info[2], UINT32_MAX, 0); i < views.Length() && vectors.size() < 64; i++) {
    Bytes bytes = BytesOf(views.Get(static_cast<uint32_t>(i)));
    if (!bytes.valid) return Result(env, KVMKIT_E_ARGUMENT);
    vectors.push_back({bytes.data, bytes.length});
  }
  return Result(env, transfer(thread, stop, info[0].As<Napi::Number>().Int32Value(), vectors.data(),
                              vectors.size(), info[4].As<Napi::Number>().Int64Value()));
}

Napi::Value Addon::Read(const Napi::CallbackInfo& info) {
  return TransferViews(info, environment->thread, kvmkit_io_read);
}

Napi::Value Addon::Write(const Napi::CallbackInfo& info) {
  return TransferViews(info, environment->thread, kvmkit_io_write);
}

// poll(fd, events, timeoutMs, stop?)
Napi::Value Addon::Poll(const Napi::CallbackInfo& info) {
  kvmkit_stop* stop;
  int error = 0;
  if (!StopOf(info[3], &stop, &error)) return Result(info.Env(), error);
  if (!info[0].IsNumber() || !info[1].IsNumber() || !info[2].IsNumber())
    return Result(info.Env(), KVMKIT_E_ARGUMENT);
  return Result(info.Env(), kvmkit_io_poll(environment->thread, stop, info[0].As<Napi::Number>().Int32Value(),
                                           info[1].As<Napi::Number>().Int32Value(),
                                           info[2].As<Napi::Number>().Int32Value()));
}

// openBeneath(directory, path, flags, mode)
Napi::Value Addon::OpenBeneath(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber() || !info[1].IsString() || !info[2].IsNumber() || !info[3].IsNumber())
    return Result(info.Env(), KVMKIT_E_ARGUMENT);
  std::string path = info[1].As<Napi::String>().Utf8Value();
  if (path.find('\0') != std::string::npos) return Result(info.Env(), -EINVAL);
  return Result(info.Env(),
                kvmkit_io_open_beneath(info[0].As<Napi::Number>().Int32Value(), path.c_str(),
                                       info[2].As<Napi::Number>().Int32Value(),
                                       info[3].As<Napi::Number>().Uint32Value()));
}

// eventfd(initial, flags)
Napi::Value Addon::EventFd(const Napi::CallbackInfo& info) {
  return Result(info.Env(), kvmkit_io_eventfd(static_cast<unsigned>(Unsigned(info[0], UINT32_MAX, 0)),
                                              static_cast<int>(Unsigned(info[1], INT32_MAX, 0))));
}

// detach(buffer): its views become empty; the memory stays until V8 has dropped the buffer
Napi::Value Addon::Detach(const Napi::CallbackInfo& info) {
  if (!info[0].IsArrayBuffer()) return Result(info.Env(), KVMKIT_E_ARGUMENT);
  auto buffer = info[0].As<Napi::ArrayBuffer>();
  if (!buffer.IsDetached()) buffer.Detach();
  return Result(info.Env(), 0);
}

}  // namespace

const std::shared_ptr<Environment>& EnvironmentOf(Napi::Env env) {
  return env.GetInstanceData<Addon>()->environment;
}

Napi::Object NewHandle(Napi::Env env) { return env.GetInstanceData<Addon>()->handle_class.New({}); }

// In the binary so that a build can be told from the sources that it was made of (scripts/build-native.mjs).
extern "C" __attribute__((used)) const char kvmkit_source_hash[] = "kvmkit-source:" KVMKIT_SOURCE_HASH;

NODE_API_ADDON(Addon)
