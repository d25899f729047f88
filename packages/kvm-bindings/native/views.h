// ArrayBuffers over native mappings.
#ifndef KVMKIT_VIEWS_H
#define KVMKIT_VIEWS_H

#include <napi.h>

#include <unordered_set>

#include "kvmkit.h"

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

#endif
