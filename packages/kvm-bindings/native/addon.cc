// What JavaScript sees of the native part: one class `Handle` over every kind of object, and a few functions.
//
// No method throws for what JavaScript passes in: results are numbers, errors are negative ones (kvmkit.h), and
// src/errors.ts turns them into KvmError. This file knows handles and buffers, never a KVM structure.
#include <napi.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "kvmkit.h"

namespace {

// The ArrayBuffers over mappings that this environment has made and not yet finalized.
//
// When an environment ends, Node.js detaches its ArrayBuffers and runs their finalizers, latest first. One whose
// contents were moved meanwhile (ArrayBuffer.prototype.transfer(), which Node.js 20 does not have, and then another
// thread) is beyond its reach: the finalizer runs although the other thread still sees the memory. Such a mapping
// keeps its addresses for good. To tell, a sentinel is kept that was made after all others: its finalizer is the
// last moment at which an ArrayBuffer of ours is attached unless it was moved.
class Views {
 public:
  explicit Views(Napi::Env env);

  Napi::Value Make(kvmkit_mapping* mapping, uint64_t offset, uint64_t length);
  // The addon's own reference; views hold one each.
  void Release() {
    if (--references_ == 0) delete this;
  }

 private:
  struct View {
    Views* owner;
    kvmkit_mapping* mapping;
    napi_ref buffer;  // weak
    bool moved;
  };
  struct Sentinel {
    Views* owner;  // null once a later one has taken its place
    napi_ref buffer;
    char byte;
  };

  static void Finalize(napi_env env, void* data, void* hint);
  static void FinalizeSentinel(napi_env env, void* data, void* hint);
  void RenewSentinel();
  bool IsAttached(const View& view) const;
  bool RunsJavaScript() const;

  napi_env env_;
  bool can_move_;
  bool environment_ended_ = false;
  std::unordered_set<View*> views_;
  Sentinel* sentinel_ = nullptr;
  int references_ = 1;
};

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports);
  ~Addon() {
    kvmkit_thread_destroy(thread);
    views->Release();
  }

  kvmkit_thread* thread;
  Views* views;
  Napi::FunctionReference handle_class;

 private:
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

Napi::Value Result(Napi::Env env, int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

// A double that is an integer of [0, max], or the fallback.
uint64_t Unsigned(const Napi::Value& value, uint64_t max, uint64_t fallback) {
  if (!value.IsNumber()) return fallback;
  double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0) || number > static_cast<double>(max) || number != std::floor(number)) return fallback;
  return static_cast<uint64_t>(number);
}

constexpr uint64_t kMaxSafe = (uint64_t{1} << 53) - 1;
constexpr uint64_t kInvalid = ~uint64_t{0};

struct Bytes {
  void* data = nullptr;
  size_t length = 0;
  bool valid = true;  // undefined is a valid empty buffer
};

Bytes BytesOf(const Napi::Value& value) {
  Bytes bytes;
  if (value.IsUndefined()) return bytes;
  bytes.valid = value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
  if (!bytes.valid) return bytes;
  // Over a detached buffer the kernel reports length 0, which every length check refuses.
  napi_value raw = value;
  if (napi_get_typedarray_info(value.Env(), raw, nullptr, &bytes.length, &bytes.data, nullptr, nullptr) != napi_ok)
    bytes.valid = false;
  return bytes;
}

// What the collector should think a handle costs: kernel memory that it cannot see.
// Guest memory counts for a sixteenth, because most of it is never touched; the windows that JavaScript has made of
// it are counted by V8 itself.
int64_t NativeCost(const kvmkit_object* object) {
  switch (object->type) {
    case KVMKIT_VM:
      return 256 * 1024;
    case KVMKIT_VCPU:
      return 128 * 1024;
    case KVMKIT_MEMORY:
      return static_cast<int64_t>(
          kvmkit_mapping_size(reinterpret_cast<const kvmkit_memory*>(object)->mapping) / 16);
    default:
      return 4 * 1024;
  }
}

constexpr napi_type_tag kHandleTag = {0x6b766d6b69742d68, 0x616e646c652d7631};

// What the function of Handle::Runner calls. The handle and the function share it, and closing the handle empties it.
struct RunTarget {
  kvmkit_vcpu* vcpu;
  kvmkit_thread* thread;
  int references;
};

void Forget(RunTarget* target) {
  if (--target->references == 0) delete target;
}

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
  Napi::Value Runner(const Napi::CallbackInfo& info);
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
  kvmkit_thread* thread_ = nullptr;
  RunTarget* run_ = nullptr;
};

Napi::Function Handle::Define(Napi::Env env) {
  return DefineClass(env, "Handle",
                     {
                         InstanceMethod<&Handle::Id>("id"),
                         InstanceMethod<&Handle::Close>("close"),
                         InstanceMethod<&Handle::Fd>("fd"),
                         InstanceMethod<&Handle::Ioctl>("ioctl"),
                         InstanceMethod<&Handle::CreateVm>("createVm"),
                         InstanceMethod<&Handle::CreateVcpu>("createVcpu"),
                         InstanceMethod<&Handle::CreateFd>("createFd"),
                         InstanceMethod<&Handle::SupportedCpuid>("supportedCpuid"),
                         InstanceMethod<&Handle::SetUserMemoryRegion>("setUserMemoryRegion"),
                         InstanceMethod<&Handle::MemoryEncryptRegion>("memoryEncryptRegion"),
                         InstanceMethod<&Handle::Runner>("runner"),
                         InstanceMethod<&Handle::Bind>("bind"),
                         InstanceMethod<&Handle::Kick>("kick"),
                         InstanceMethod<&Handle::Size>("size"),
                         InstanceMethod<&Handle::View>("view"),
                         InstanceMethod<&Handle::DirtyRing>("dirtyRing"),
                         InstanceMethod<&Handle::Advise>("advise"),
                         InstanceMethod<&Handle::Stop>("stop"),
                         InstanceMethod<&Handle::StopReason>("stopReason"),
                         InstanceMethod<&Handle::ArmWall>("armWall"),
                         InstanceMethod<&Handle::ArmCpu>("armCpu"),
                         InstanceMethod<&Handle::WatchSignals>("watchSignals"),
                         InstanceMethod<&Handle::Reset>("reset"),
                     });
}

Handle::Handle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Handle>(info) {
  auto* addon = info.Env().GetInstanceData<Addon>();
  thread_ = addon->thread;
  info.This().As<Napi::Object>().TypeTag(&kHandleTag);
  // Constructed from JavaScript there is no External, and the handle is born closed.
  if (info.Length() != 1 || !info[0].IsExternal()) return;
  object_ = info[0].As<Napi::External<kvmkit_object>>().Data();
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), NativeCost(object_));
}

Handle::~Handle() { Release(); }

void Handle::Release() {
  if (!object_) return;
  kvmkit_object* object = object_;
  object_ = nullptr;
  if (run_) {
    run_->vcpu = nullptr;
    Forget(run_);
    run_ = nullptr;
  }
  int64_t ignored;
  napi_adjust_external_memory(Env(), -NativeCost(object), &ignored);
  kvmkit_object_unref(object);
}

Napi::Value Handle::Wrap(Napi::Env env, kvmkit_object* object) {
  auto* addon = env.GetInstanceData<Addon>();
  return addon->handle_class.New({Napi::External<kvmkit_object>::New(env, object)});
}

Handle* Handle::From(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  auto object = value.As<Napi::Object>();
  bool tagged = false;
  if (napi_check_object_type_tag(value.Env(), object, &kHandleTag, &tagged) != napi_ok || !tagged) return nullptr;
  return Unwrap(object);
}

Napi::Value Handle::Id(const Napi::CallbackInfo& info) {
  return Result(info.Env(), object_ ? static_cast<int64_t>(object_->id) : Missing());
}

Napi::Value Handle::Close(const Napi::CallbackInfo& info) {
  Release();
  return info.Env().Undefined();
}

Napi::Value Handle::Fd(const Napi::CallbackInfo& info) {
  auto* fd = Get<kvmkit_fd>(kDescriptor);
  return Result(info.Env(), fd ? fd->fd : Missing());
}

// ioctl(row, value, argument?, extra?)
Napi::Value Handle::Ioctl(const Napi::CallbackInfo& info) {
  auto* fd = Get<kvmkit_fd>(kDescriptor);
  if (!fd) return Result(info.Env(), Missing());
  uint64_t row = Unsigned(info[0], UINT32_MAX, kInvalid);
  uint64_t value = Unsigned(info[1], kMaxSafe, kInvalid);
  Bytes argument = BytesOf(info[2]);
  Bytes extra = BytesOf(info[3]);
  if (row == kInvalid || value == kInvalid || !argument.valid || !extra.valid)
    return Result(info.Env(), KVMKIT_E_ARGUMENT);
  return Result(info.Env(), kvmkit_ioctl(fd, thread_, static_cast<unsigned>(row), value, argument.data,
                                         argument.length, extra.data, extra.length));
}

// The new object's handle, or the error.
template <typename T>
Napi::Value HandleOr(Napi::Env env, int error, T* object) {
  return error ? Result(env, error) : Handle::Wrap(env, reinterpret_cast<kvmkit_object*>(object));
}

// createVm(type)
Napi::Value Handle::CreateVm(const Napi::CallbackInfo& info) {
  auto* system = Get<kvmkit_fd>(KVMKIT_SYSTEM);
  if (!system) return Result(info.Env(), Missing());
  kvmkit_vm* vm = nullptr;
  int error = kvmkit_create_vm(system, Unsigned(info[0], kMaxSafe, kMaxSafe), &vm);
  return HandleOr(info.Env(), error, vm);
}

// createVcpu(id, runSize)
Napi::Value Handle::CreateVcpu(const Napi::CallbackInfo& info) {
  auto* vm = Get<kvmkit_vm>(KVMKIT_VM);
  if (!vm) return Result(info.Env(), Missing());
  kvmkit_vcpu* vcpu = nullptr;
  int error = kvmkit_create_vcpu(vm, thread_, Unsigned(info[0], kMaxSafe, kMaxSafe),
                                 Unsigned(info[1], kMaxSafe, 0), &vcpu);
  return HandleOr(info.Env(), error, vcpu);
}

// createFd(row, argument?)
Napi::Value Handle::CreateFd(const Napi::CallbackInfo& info) {
  auto* fd = Get<kvmkit_fd>(kDescriptor);
  if (!fd) return Result(info.Env(), Missing());
  uint64_t row = Unsigned(info[0], UINT32_MAX, kInvalid);
  Bytes argument = BytesOf(info[1]);
  if (row == kInvalid || !argument.valid) return Result(info.Env(), KVMKIT_E_ARGUMENT);
  kvmkit_fd* created = nullptr;
  int error =
      kvmkit_create_fd(fd, thread_, static_cast<unsigned>(row), argument.data, argument.length, &created);
  return HandleOr(info.Env(), error, created);
}

// supportedCpuid(): a copy of the kvm_cpuid2, or the error
Napi::Value Handle::SupportedCpuid(const Napi::CallbackInfo& info) {
  auto* system = Get<kvmkit_fd>(KVMKIT_SYSTEM);
  if (!system) return Result(info.Env(), Missing());
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  int error = kvmkit_supported_cpuid(system, &bytes, &length);
  if (error) return Result(info.Env(), error);
  auto copy = Napi::Uint8Array::New(info.Env(), length);
  std::copy(bytes, bytes + length, copy.Data());
  return copy;
}

// setUserMemoryRegion(slot, flags, guestPhysAddr: bigint, memory?, offset, size, guestMemfd?, guestMemfdOffset)
Napi::Value Handle::SetUserMemoryRegion(const Napi::CallbackInfo& info) {
  auto* vm = Get<kvmkit_vm>(KVMKIT_VM);
  if (!vm) return Result(info.Env(), Missing());
  kvmkit_region region = {};
  uint64_t slot = Unsigned(info[0], UINT32_MAX, kInvalid);
  uint64_t flags = Unsigned(info[1], UINT32_MAX, kInvalid);
  region.offset = Unsigned(info[4], kMaxSafe, kInvalid);
  region.size = Unsigned(info[5], kMaxSafe, kInvalid);
  if (slot == kInvalid || flags == kInvalid || !info[2].IsBigInt()) return Result(info.Env(), KVMKIT_E_ARGUMENT);
  bool lossless = false;
  region.slot = static_cast<uint32_t>(slot);
  region.flags = static_cast<uint32_t>(flags);
  region.guest_phys_addr = info[2].As<Napi::BigInt>().Uint64Value(&lossless);
  if (!info[3].IsUndefined()) {
    Handle* memory = From(info[3]);
    region.memory = memory ? memory->Get<kvmkit_memory>(KVMKIT_MEMORY) : nullptr;
    if (!region.memory) return Result(info.Env(), memory ? memory->Missing() : KVMKIT_E_ARGUMENT);
  }
  if (!info[6].IsUndefined()) {
    Handle* file = From(info[6]);
    region.guest_memfd = file ? file->Get<kvmkit_fd>(KVMKIT_FILE) : nullptr;
    region.guest_memfd_offset = Unsigned(info[7], kMaxSafe, kInvalid);
    if (!region.guest_memfd) return Result(info.Env(), file ? file->Missing() : KVMKIT_E_ARGUMENT);
  }
  return Result(info.Env(), kvmkit_set_user_memory_region(vm, &region));
}

// memoryEncryptRegion(row, memory, offset, size)
Napi::Value Handle::MemoryEncryptRegion(const Napi::CallbackInfo& info) {
  auto* vm = Get<kvmkit_vm>(KVMKIT_VM);
  if (!vm) return Result(info.Env(), Missing());
  Handle* handle = From(info[1]);
  auto* memory = handle ? handle->Get<kvmkit_memory>(KVMKIT_MEMORY) : nullptr;
  if (!memory) return Result(info.Env(), handle ? handle->Missing() : KVMKIT_E_ARGUMENT);
  return Result(info.Env(),
                kvmkit_memory_encrypt_region(vm, static_cast<unsigned>(Unsigned(info[0], UINT32_MAX, UINT32_MAX)),
                                             memory, Unsigned(info[2], kMaxSafe, kInvalid),
                                             Unsigned(info[3], kMaxSafe, kInvalid)));
}

// KVM_RUN, once per exit. Plain Node-API, with the target in the function's own data: a third of the instructions of
// a method call, and after an exit they all come from a cold cache.
napi_value RunVcpu(napi_env env, napi_callback_info info) {
  void* data;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  auto* target = static_cast<RunTarget*>(data);
  int reason = target->vcpu ? kvmkit_vcpu_run(target->vcpu, target->thread) : KVMKIT_E_CLOSED;
  napi_value result;
  napi_create_int32(env, reason, &result);
  return result;
}

// runner(): the function that runs this vCPU
Napi::Value Handle::Runner(const Napi::CallbackInfo& info) {
  auto* vcpu = Get<kvmkit_vcpu>(KVMKIT_VCPU);
  if (!vcpu) return Result(info.Env(), Missing());
  if (!run_) run_ = new RunTarget{vcpu, thread_, 1};
  napi_value function;
  auto finalize = [](napi_env, void*, void* target) { Forget(static_cast<RunTarget*>(target)); };
  // SAFETY: the function's reference to the target is given back by its finalizer; the target's vCPU is the handle's.
  if (napi_create_function(info.Env(), "run", NAPI_AUTO_LENGTH, RunVcpu, run_, &function) != napi_ok)
    throw Napi::Error::New(info.Env());
  run_->references++;
  if (napi_add_finalizer(info.Env(), function, nullptr, finalize, run_, nullptr) != napi_ok) {
    Forget(run_);
    throw Napi::Error::New(info.Env());
  }
  return Napi::Value(info.Env(), function);
}

// bind(stop?)
Napi::Value Handle::Bind(const Napi::CallbackInfo& info) {
  auto* vcpu = Get<kvmkit_vcpu>(KVMKIT_VCPU);
  if (!vcpu) return Result(info.Env(), Missing());
  kvmkit_stop* stop = nullptr;
  if (!info[0].IsUndefined()) {
    Handle* handle = From(info[0]);
    stop = handle ? handle->Get<kvmkit_stop>(KVMKIT_STOP) : nullptr;
    if (!stop) return Result(info.Env(), handle ? handle->Missing() : KVMKIT_E_ARGUMENT);
  }
  return Result(info.Env(), kvmkit_vcpu_bind(vcpu, thread_, stop));
}

Napi::Value Handle::Kick(const Napi::CallbackInfo& info) {
  auto* vcpu = Get<kvmkit_vcpu>(KVMKIT_VCPU);
  if (!vcpu) return Result(info.Env(), Missing());
  kvmkit_vcpu_kick(vcpu);
  return Result(info.Env(), 0);
}

kvmkit_mapping* Handle::Mapping() const {
  if (auto* memory = Get<kvmkit_memory>(KVMKIT_MEMORY)) return memory->mapping;
  if (auto* vcpu = Get<kvmkit_vcpu>(KVMKIT_VCPU)) return kvmkit_vcpu_page(vcpu);
  return nullptr;
}

Napi::Value Handle::Size(const Napi::CallbackInfo& info) {
  kvmkit_mapping* mapping = Mapping();
  return Result(info.Env(), mapping ? static_cast<int64_t>(kvmkit_mapping_size(mapping)) : Missing());
}

Views::Views(Napi::Env env) : env_(env) {
  auto prototype = env.Global().Get("ArrayBuffer").As<Napi::Function>().Get("prototype").As<Napi::Object>();
  can_move_ = prototype.Get("transfer").IsFunction();
}

// An ArrayBuffer over a part of a mapping, which stays mapped until the finalizer of its last ArrayBuffer has run.
Napi::Value Views::Make(kvmkit_mapping* mapping, uint64_t offset, uint64_t length) {
  uint64_t size = kvmkit_mapping_size(mapping);
  if (length == 0 || offset > size || length > size - offset) return Result(env_, KVMKIT_E_RANGE);
  kvmkit_mapping_view(mapping);
  auto* view = new View{this, mapping, nullptr, false};
  references_++;
  views_.insert(view);
  napi_value buffer;
  // SAFETY: the mapping counts the view until Finalize.
  napi_status status = napi_create_external_arraybuffer(env_, kvmkit_mapping_address(mapping) + offset, length,
                                                        Finalize, view, &buffer);
  if (status != napi_ok) {
    Finalize(env_, nullptr, view);
    throw Napi::Error::New(env_);
  }
  napi_create_reference(env_, buffer, 0, &view->buffer);
  if (can_move_) RenewSentinel();
  return Napi::Value(env_, buffer);
}

void Views::Finalize(napi_env env, void*, void* hint) {
  auto* view = static_cast<View*>(hint);
  Views* owner = view->owner;
  bool in_doubt = owner->can_move_ && !owner->environment_ended_ && !owner->RunsJavaScript();
  if (view->buffer) napi_delete_reference(env, view->buffer);
  if (!view->moved && !in_doubt) kvmkit_mapping_unview(view->mapping);
  owner->views_.erase(view);
  delete view;
  owner->Release();
}

void Views::RenewSentinel() {
  if (sentinel_) {
    sentinel_->owner = nullptr;
    napi_delete_reference(env_, sentinel_->buffer);
  }
  sentinel_ = new Sentinel{this, nullptr, 0};
  napi_value buffer;
  napi_status status =
      napi_create_external_arraybuffer(env_, &sentinel_->byte, 1, FinalizeSentinel, sentinel_, &buffer);
  if (status != napi_ok) throw Napi::Error::New(env_);
  napi_create_reference(env_, buffer, 1, &sentinel_->buffer);
}

// The present sentinel is referenced, so only the end of the environment finalizes it.
void Views::FinalizeSentinel(napi_env env, void*, void* hint) {
  auto* sentinel = static_cast<Sentinel*>(hint);
  if (Views* self = sentinel->owner) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    for (View* view : self->views_) view->moved = !self->IsAttached(*view);
    napi_close_handle_scope(env, scope);
    self->environment_ended_ = true;
    self->sentinel_ = nullptr;
    napi_delete_reference(env, sentinel->buffer);
  }
  delete sentinel;
}

bool Views::IsAttached(const View& view) const {
  napi_value buffer = nullptr;
  bool detached = true;
  if (!view.buffer || napi_get_reference_value(env_, view.buffer, &buffer) != napi_ok || !buffer) return false;
  return napi_is_detached_arraybuffer(env_, buffer, &detached) == napi_ok && !detached;
}

// Node-API refuses what could run JavaScript while the environment ends.
bool Views::RunsJavaScript() const {
  napi_value global;
  bool has = false;
  return napi_get_global(env_, &global) == napi_ok &&
         napi_has_named_property(env_, global, "ArrayBuffer", &has) == napi_ok;
}

// view(offset, length): an ArrayBuffer over guest memory or the kvm_run page
Napi::Value Handle::View(const Napi::CallbackInfo& info) {
  kvmkit_mapping* mapping = Mapping();
  if (!mapping) return Result(info.Env(), Missing());
  auto* views = info.Env().GetInstanceData<Addon>()->views;
  return views->Make(mapping, Unsigned(info[0], kMaxSafe, kInvalid), Unsigned(info[1], kMaxSafe, kInvalid));
}

// dirtyRing(size): an ArrayBuffer over the vCPU's dirty ring
Napi::Value Handle::DirtyRing(const Napi::CallbackInfo& info) {
  auto* vcpu = Get<kvmkit_vcpu>(KVMKIT_VCPU);
  if (!vcpu) return Result(info.Env(), Missing());
  uint64_t size = Unsigned(info[0], UINT32_MAX, 0);
  int error = 0;
  kvmkit_mapping* ring = kvmkit_vcpu_dirty_ring(vcpu, size, &error);
  if (!ring) return Result(info.Env(), error);
  return info.Env().GetInstanceData<Addon>()->views->Make(ring, 0, size);
}

// advise(offset, size, populate)
Napi::Value Handle::Advise(const Napi::CallbackInfo& info) {
  auto* memory = Get<kvmkit_memory>(KVMKIT_MEMORY);
  if (!memory) return Result(info.Env(), Missing());
  uint64_t offset = Unsigned(info[0], kMaxSafe, kInvalid);
  uint64_t size = Unsigned(info[1], kMaxSafe, kInvalid);
  bool populate = info[2].ToBoolean();
  return Result(info.Env(), kvmkit_memory_advise(memory, offset, size, populate));
}

Napi::Value Handle::Stop(const Napi::CallbackInfo& info) {
  auto* stop = Get<kvmkit_stop>(KVMKIT_STOP);
  if (!stop) return Result(info.Env(), Missing());
  kvmkit_stop_now(stop, KVMKIT_STOP_REQUESTED);
  return Result(info.Env(), 0);
}

Napi::Value Handle::StopReason(const Napi::CallbackInfo& info) {
  auto* stop = Get<kvmkit_stop>(KVMKIT_STOP);
  return Result(info.Env(), stop ? kvmkit_stop_reason(stop) : Missing());
}

// Milliseconds to nanoseconds; anything that is not a time disarms.
int64_t Nanoseconds(const Napi::Value& ms) {
  if (!ms.IsNumber()) return -1;
  double value = ms.As<Napi::Number>().DoubleValue();
  if (!(value >= 0)) return -1;
  return value > 1e12 ? int64_t{1} << 60 : static_cast<int64_t>(value * 1e6);
}

Napi::Value Handle::ArmWall(const Napi::CallbackInfo& info) {
  auto* stop = Get<kvmkit_stop>(KVMKIT_STOP);
  if (!stop) return Result(info.Env(), Missing());
  return Result(info.Env(), kvmkit_stop_arm_wall(stop, Nanoseconds(info[0])));
}

Napi::Value Handle::ArmCpu(const Napi::CallbackInfo& info) {
  auto* stop = Get<kvmkit_stop>(KVMKIT_STOP);
  if (!stop) return Result(info.Env(), Missing());
  return Result(info.Env(), kvmkit_stop_arm_cpu(stop, Nanoseconds(info[0])));
}

// watchSignals(bits)
Napi::Value Handle::WatchSignals(const Napi::CallbackInfo& info) {
  auto* stop = Get<kvmkit_stop>(KVMKIT_STOP);
  if (!stop) return Result(info.Env(), Missing());
  return Result(info.Env(), kvmkit_stop_watch(stop, Unsigned(info[0], UINT32_MAX, 0)));
}

Napi::Value Handle::Reset(const Napi::CallbackInfo& info) {
  auto* stop = Get<kvmkit_stop>(KVMKIT_STOP);
  if (!stop) return Result(info.Env(), Missing());
  kvmkit_stop_reset(stop);
  return Result(info.Env(), 0);
}

Addon::Addon(Napi::Env env, Napi::Object exports) : thread(kvmkit_thread_create()), views(new Views(env)) {
  if (!thread) throw Napi::Error::New(env, "out of memory");
  handle_class = Napi::Persistent(Handle::Define(env));
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

Napi::Value Addon::Read(const Napi::CallbackInfo& info) { return TransferViews(info, thread, kvmkit_io_read); }

Napi::Value Addon::Write(const Napi::CallbackInfo& info) { return TransferViews(info, thread, kvmkit_io_write); }

// poll(fd, events, timeoutMs, stop?)
Napi::Value Addon::Poll(const Napi::CallbackInfo& info) {
  kvmkit_stop* stop;
  int error = 0;
  if (!StopOf(info[3], &stop, &error)) return Result(info.Env(), error);
  if (!info[0].IsNumber() || !info[1].IsNumber() || !info[2].IsNumber())
    return Result(info.Env(), KVMKIT_E_ARGUMENT);
  return Result(info.Env(), kvmkit_io_poll(thread, stop, info[0].As<Napi::Number>().Int32Value(),
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

// In the binary so that a build can be told from the sources that it was made of (scripts/build-native.mjs).
extern "C" __attribute__((used)) const char kvmkit_source_hash[] = "kvmkit-source:" KVMKIT_SOURCE_HASH;

NODE_API_ADDON(Addon)
