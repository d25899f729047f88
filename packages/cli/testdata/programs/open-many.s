# Opens argv[1] again and again, and ends with the errno of the first refusal.
        .text
        .globl _start
_start: mov rbx, [rsp + 16]
next:   mov eax, 2                      # open(path, O_RDONLY)
        mov rdi, rbx
        xor esi, esi
        syscall
        test rax, rax
        jns next
        neg rax
        mov edi, eax
        mov eax, 231                    # exit_group
        syscall
