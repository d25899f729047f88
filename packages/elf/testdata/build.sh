#!/bin/sh
# Builds every binary of this folder. Made with gcc 12.2, binutils 2.40 and llvm-mc 14 (Debian 12).
set -eu
cd "$(dirname "$0")"
flags='-nostdlib -Wl,--build-id=sha1 -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 -s'

gcc -Os -fPIC -shared $flags -Wl,--version-script=versions.map -Wl,-soname=libversions.so \
  -fno-asynchronous-unwind-tables -fcf-protection=none -o libversions.so versions.c
gcc -Os -no-pie -fno-pie $flags -fno-asynchronous-unwind-tables -fcf-protection=none -Wl,--unresolved-symbols=ignore-in-shared-libs -o user user.c ./libversions.so
gcc -static -no-pie -nostdlib -Wl,--build-id=none -o program program.s
gcc -static-pie -nostdlib -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,pack-relative-relocs -o program-pie program.s
as --32 -o relocations.i386.o relocations.i386.s
as --x32 -o relocations.x32.o program.s
for target in aarch64 armv7 riscv64 ppc64 mips; do
  llvm-mc -triple="$target-linux-gnu" -filetype=obj -o "relocations.$target.o" "relocations.$target.s"
done
