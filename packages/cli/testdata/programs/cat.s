# Copies stdin to stdout until its end. Ends with the errno of what failed.
        .set SIZE, 65536

        .text
        .globl _start
_start: xor eax, eax                    # read
        xor edi, edi
        lea rsi, [rip + buffer]
        mov edx, SIZE
        syscall
        test rax, rax
        js failed
        jz done
        lea r13, [rip + buffer]
        mov r14, rax
again:  mov eax, 1                      # write
        mov edi, 1
        mov rsi, r13
        mov rdx, r14
        syscall
        test rax, rax
        js failed
        add r13, rax
        sub r14, rax
        jnz again
        jmp _start
done:   xor edi, edi
        jmp exit
failed: neg rax
        mov edi, eax
exit:   mov eax, 231                    # exit_group
        syscall

        .bss
buffer: .skip SIZE
