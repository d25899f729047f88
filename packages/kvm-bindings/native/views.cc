#include "views.h"

#include "values.h"

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
