# Asks the host for Roman numerals, and prints them. A hypercall is called as a system call is: the number in rax,
# arguments in rdi, rsi, rdx, …; a buffer takes two registers, its address and its length.

        .include "hypercalls.inc"       # made by `kvm build` from the manifest: SYS_roman_numeral

        .set SYS_write, 1
        .set SYS_exit_group, 231
        .set STDOUT, 1
        .set EDOM, 33

        .section .rodata
years:  .long 1, 4, 1987, 2026, 3999
        .set year_count, (. - years) / 4

        .text
        .globl _start
_start: lea rbx, [rip + years]
        mov r12d, year_count

next:   mov eax, SYS_roman_numeral      # roman_numeral(value, text, size)
        mov edi, [rbx]
        lea rsi, [rip + text]
        mov edx, 64
        syscall
        test rax, rax
        js failed

        lea rsi, [rip + text]           # write(STDOUT, text, length + 1)
        mov byte ptr [rsi + rax], 10
        lea rdx, [rax + 1]
        mov eax, SYS_write
        mov edi, STDOUT
        syscall
        test rax, rax
        js failed

        add rbx, 4
        dec r12d
        jnz next

        mov eax, SYS_roman_numeral      # the Romans had no zero: -EDOM
        xor edi, edi
        lea rsi, [rip + text]
        mov edx, 64
        syscall
        cmp rax, -EDOM
        jne failed
        xor edi, edi
        jmp exit

failed: mov edi, 1
exit:   mov eax, SYS_exit_group
        syscall

        .bss
text:   .skip 65
