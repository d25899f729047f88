# Opens argv[1] with the flags that argv[2] names in decimal, and ends with the errno, or 0.
        .text
        .globl _start
_start: mov rdi, [rsp + 16]
        mov rbx, [rsp + 24]
        xor esi, esi
digit:  movzx eax, byte ptr [rbx]
        test eax, eax
        jz open
        imul esi, esi, 10
        lea esi, [rsi + rax - 48]
        inc rbx
        jmp digit
open:   mov eax, 2                      # open
        mov edx, 0x1b6
        syscall
        xor edi, edi
        test rax, rax
        jns exit
        neg rax
        mov edi, eax
exit:   mov eax, 231                    # exit_group
        syscall
