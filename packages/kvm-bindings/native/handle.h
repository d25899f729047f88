// The class of native objects that JavaScript holds.
#ifndef KVMKIT_HANDLE_H
#define KVMKIT_HANDLE_H

#include <napi.h>

#include <memory>

#include "kvmkit.h"
#include "values.h"
#include "views.h"

// What the handles of an environment share, and outlive each other with.
struct Environment {
  kvmkit_thread* thread;
  Views* views;
  kvmkit_object* newborn = nullptr;  // what the next handle is for
  kvmkit_vcpu* selected = nullptr;   // what run() runs: the vCPU of the last bind()
};

// The addon's, for this environment (addon.cc).
const std::shared_ptr<Environment>& EnvironmentOf(Napi::Env env);
Napi::Object NewHandle(Napi::Env env);

// A reference to a native object. Closing gives the reference back; the object may live on in other handles.
class Handle : public Napi::ObjectWrap<Handle> {
 public:
  static Napi::Function Define(Napi::Env env);
  static Napi::Value Wrap(Napi::Env env, kvmkit_object* object);
  // The handle behind a value, if it is one.
  static Handle* From(const Napi::Value& value);

  explicit Handle(const Napi::CallbackInfo& info);
  ~Handle() override;

  // The object if it is open and of one of these types.
  template <typename T>
  T* Get(unsigned types) const {
    return object_ && (object_->type & types) ? reinterpret_cast<T*>(object_) : nullptr;
  }
  int Missing() const { return object_ ? KVMKIT_E_ARGUMENT : KVMKIT_E_CLOSED; }

 private:
  static constexpr unsigned kDescriptor = KVMKIT_SYSTEM | KVMKIT_VM | KVMKIT_VCPU | KVMKIT_DEVICE | KVMKIT_FILE;

  Napi::Value Id(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value Fd(const Napi::CallbackInfo& info);
  Napi::Value Ioctl(const Napi::CallbackInfo& info);
  Napi::Value CreateVm(const Napi::CallbackInfo& info);
  Napi::Value CreateVcpu(const Napi::CallbackInfo& info);
  Napi::Value CreateFd(const Napi::CallbackInfo& info);
  Napi::Value SupportedCpuid(const Napi::CallbackInfo& info);
  Napi::Value SetUserMemoryRegion(const Napi::CallbackInfo& info);
  Napi::Value MemoryEncryptRegion(const Napi::CallbackInfo& info);
  Napi::Value Bind(const Napi::CallbackInfo& info);
  Napi::Value Kick(const Napi::CallbackInfo& info);
  Napi::Value Size(const Napi::CallbackInfo& info);
  Napi::Value View(const Napi::CallbackInfo& info);
  Napi::Value DirtyRing(const Napi::CallbackInfo& info);
  Napi::Value Advise(const Napi::CallbackInfo& info);
  Napi::Value Stop(const Napi::CallbackInfo& info);
  Napi::Value StopReason(const Napi::CallbackInfo& info);
  Napi::Value ArmWall(const Napi::CallbackInfo& info);
  Napi::Value ArmCpu(const Napi::CallbackInfo& info);
  Napi::Value WatchSignals(const Napi::CallbackInfo& info);
  Napi::Value Reset(const Napi::CallbackInfo& info);

  kvmkit_mapping* Mapping() const;
  void Release();

  kvmkit_object* object_ = nullptr;
  std::shared_ptr<Environment> environment_;
};

// The new object's handle, or the error.
template <typename T>
Napi::Value HandleOr(Napi::Env env, int error, T* object) {
  return error ? Result(env, error) : Handle::Wrap(env, reinterpret_cast<kvmkit_object*>(object));
}

#endif
