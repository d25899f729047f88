# Makes argv[1] and writes to it until that is refused; ends with the errno.
        .text
        .globl _start
_start: mov eax, 2                      # open(path, O_WRONLY | O_CREAT, 0600)
        mov rdi, [rsp + 16]
        mov esi, 0x41
        mov edx, 0x180
        syscall
        test rax, rax
        js refused
        mov rbx, rax
next:   mov eax, 1                      # write
        mov rdi, rbx
        lea rsi, [rip + block]
        mov edx, 1000
        syscall
        test rax, rax
        jns next
refused:
        neg rax
        mov edi, eax
        mov eax, 231                    # exit_group
        syscall

        .bss
block:  .skip 1000
