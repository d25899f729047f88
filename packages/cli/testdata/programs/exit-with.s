# Ends with the status that argv[1] names in decimal.
        .text
        .globl _start
_start: mov rsi, [rsp + 16]
        xor edi, edi
digit:  movzx eax, byte ptr [rsi]
        test eax, eax
        jz done
        imul edi, edi, 10
        lea edi, [rdi + rax - 48]
        inc rsi
        jmp digit
done:   mov eax, 231                    # exit_group
        syscall
