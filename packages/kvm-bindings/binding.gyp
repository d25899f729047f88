{
  "targets": [
    {
      "target_name": "kvm_bindings",
      "sources": [
        "native/abi_asserts.c",
        "native/addon.cc",
        "native/descriptors.c",
        "native/guest_memory.c",
        "native/handle.cc",
        "native/host_io.c",
        "native/ioctls.c",
        "native/memory_slots.c",
        "native/objects.c",
        "native/stop.c",
        "native/vcpu_runner.c",
        "native/views.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=9",
        "NODE_ADDON_API_CPP_EXCEPTIONS",
        "KVMKIT_SOURCE_HASH=\"<!(node scripts/source-hash.mjs)\""
      ],
      "cflags": ["-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility=hidden"],
      "cflags_c": ["-std=gnu17", "-D_GNU_SOURCE"],
      "cflags_cc!": ["-fno-exceptions", "-std=gnu++17"],
      "cflags_cc": ["-std=gnu++20"],
      # The watchdog and the signal handlers live in this code: it must stay when the last worker unloads the addon.
      "ldflags": ["-Wl,-z,nodelete"]
    }
  ]
}
