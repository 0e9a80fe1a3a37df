{
  "variables": { "keepstate_asan%": 0 },
  "targets": [
    {
      "target_name": "keepstate_native",
      "sources": [
        "src/net/native/addon.cc",
        "src/net/native/aes_gcm.cc",
        "src/net/native/batched_socket.cc",
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
