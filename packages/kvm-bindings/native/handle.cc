// Methods of the handles. Results are numbers, errors negative ones (kvmkit.h); src/errors.ts makes them KvmErrors.
#include "handle.h"

namespace {

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

}  // namespace

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
  environment_ = EnvironmentOf(info.Env());
  info.This().As<Napi::Object>().TypeTag(&kHandleTag);
  // Constructed from JavaScript there is no newborn, and the handle is born closed.
  object_ = environment_->newborn;
  environment_->newborn = nullptr;
  if (object_) Napi::MemoryManagement::AdjustExternalMemory(info.Env(), NativeCost(object_));
}

Handle::~Handle() { Release(); }

void Handle::Release() {
  if (!object_) return;
  kvmkit_object* object = object_;
  object_ = nullptr;
  if (reinterpret_cast<kvmkit_object*>(environment_->selected) == object) environment_->selected = nullptr;
  int64_t ignored;
  napi_adjust_external_memory(Env(), -NativeCost(object), &ignored);
  kvmkit_object_unref(object);
}

Napi::Value Handle::Wrap(Napi::Env env, kvmkit_object* object) {
  EnvironmentOf(env)->newborn = object;
  return NewHandle(env);
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
  Bytes argument = BytesOf(info[2], true);
  Bytes extra = BytesOf(info[3]);
  if (row == kInvalid || value == kInvalid || !argument.valid || !extra.valid)
    return Result(info.Env(), KVMKIT_E_ARGUMENT);
  return Result(info.Env(), kvmkit_ioctl(fd, environment_->thread, static_cast<unsigned>(row), value, argument.data,
                                         argument.length, extra.data, extra.length));
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
  int error = kvmkit_create_vcpu(vm, environment_->thread, Unsigned(info[0], kMaxSafe, kMaxSafe),
                                 Unsigned(info[1], kMaxSafe, 0), &vcpu);
  return HandleOr(info.Env(), error, vcpu);
}

// createFd(row, argument?)
Napi::Value Handle::CreateFd(const Napi::CallbackInfo& info) {
  auto* fd = Get<kvmkit_fd>(kDescriptor);
  if (!fd) return Result(info.Env(), Missing());
  uint64_t row = Unsigned(info[0], UINT32_MAX, kInvalid);
  Bytes argument = BytesOf(info[1], true);
  if (row == kInvalid || !argument.valid) return Result(info.Env(), KVMKIT_E_ARGUMENT);
  kvmkit_fd* created = nullptr;
  int error =
      kvmkit_create_fd(fd, environment_->thread, static_cast<unsigned>(row), argument.data, argument.length, &created);
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

// bind(stop?): run() runs this vCPU from now on, and `stop` ends it
Napi::Value Handle::Bind(const Napi::CallbackInfo& info) {
  auto* vcpu = Get<kvmkit_vcpu>(KVMKIT_VCPU);
  if (!vcpu) return Result(info.Env(), Missing());
  kvmkit_stop* stop = nullptr;
  if (!info[0].IsUndefined()) {
    Handle* handle = From(info[0]);
    stop = handle ? handle->Get<kvmkit_stop>(KVMKIT_STOP) : nullptr;
    if (!stop) return Result(info.Env(), handle ? handle->Missing() : KVMKIT_E_ARGUMENT);
  }
  int error = kvmkit_vcpu_bind(vcpu, environment_->thread, stop);
  if (!error) environment_->selected = vcpu;
  return Result(info.Env(), error);
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

// view(offset, length): an ArrayBuffer over guest memory or the kvm_run page
Napi::Value Handle::View(const Napi::CallbackInfo& info) {
  kvmkit_mapping* mapping = Mapping();
  if (!mapping) return Result(info.Env(), Missing());
  uint64_t offset = Unsigned(info[0], kMaxSafe, kInvalid);
  return environment_->views->Make(mapping, offset, Unsigned(info[1], kMaxSafe, kInvalid));
}

// dirtyRing(size): an ArrayBuffer over the vCPU's dirty ring
Napi::Value Handle::DirtyRing(const Napi::CallbackInfo& info) {
  auto* vcpu = Get<kvmkit_vcpu>(KVMKIT_VCPU);
  if (!vcpu) return Result(info.Env(), Missing());
  uint64_t size = Unsigned(info[0], UINT32_MAX, 0);
  int error = 0;
  kvmkit_mapping* ring = kvmkit_vcpu_dirty_ring(vcpu, size, &error);
  if (!ring) return Result(info.Env(), error);
  return environment_->views->Make(ring, 0, size);
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
static int64_t Nanoseconds(const Napi::Value& ms) {
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
