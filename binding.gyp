{
  "variables": { "keepstate_asan%": 0 },
  "targets": [
    {
      "target_name": "keepstate_native",
      "sources": [
        "src/net/native/addon.cc",
        "src/net/native/aes_gcm.cc",
        "src/net/native/batched_socket.cc",
        "src/net/native/beat_binding.cc",
        "src/net/native/beat_listener.cc",
        "src/net/native/beat_loop_watch.cc",
        "src/net/native/beat_methods.cc",
        "src/net/native/beat_path.cc",
        "src/net/native/beat_priority.cc",
        "src/net/native/beat_probe.cc",
        "src/net/native/beat_report.cc",
        "src/net/native/beat_seal.cc",
        "src/net/native/beat_send.cc",
        "src/net/native/beat_thread.cc",
        "src/net/native/beat_tick.cc",
        "src/net/native/capability_sets.cc",
        "src/net/native/narrow_threads.cc",
        "src/net/native/privileges.cc",
        "src/net/native/signal_watch.cc",
        "src/net/native/socket_options.cc",
        "src/net/native/socket_poll.cc",
        "src/net/native/socket_ring.cc",
        "src/net/native/socket_send.cc"
      ],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-Wno-unused-parameter", "-O2"],
      "conditions": [
        [
          "keepstate_asan==1",
          {
            "cflags_cc": ["-fsanitize=address", "-fno-omit-frame-pointer", "-g"],
            "ldflags": ["-fsanitize=address"]
          }
        ]
      ]
    }
  ]
}
