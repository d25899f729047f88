# A static program with every kind of segment: code, read-only data, data with a bss tail, TLS, a note.
  .file "program.s"
  .globl _start
  .text
_start:
  lea message(%rip), %rsi
  mov $1, %eax
  mov $1, %edi
  mov $length, %edx
  syscall
  mov $60, %eax
  mov counter(%rip), %edi
  syscall
  .size _start, . - _start
  .type _start, @function

  .section .rodata
message: .ascii "hello\n"
length = . - message

  .data
counter: .long 0
  .balign 8
pointers: .quad message, counter, 0, message

  .bss
  .lcomm buffer, 20000

  .section .tdata, "awT", @progbits
  .long 7

  .section .note.kvmkit, "a", @note
  .long 7, 4, 1
  .asciz "kvmkit"
  .balign 4
  .long 0x2a

  .section .note.GNU-stack, "", @progbits
