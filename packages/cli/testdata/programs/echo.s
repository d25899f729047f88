# Writes its arguments, then its environment, one on each line.
        .text
        .globl _start
_start: mov rbx, rsp
        add rbx, 8                      # argv
        mov r12d, 2                     # two lists: argv and envp
list:   mov rsi, [rbx]
        add rbx, 8
        test rsi, rsi
        jnz string
        dec r12d
        jnz list
        mov eax, 231                    # exit_group
        xor edi, edi
        syscall
string: xor edx, edx
length: cmp byte ptr [rsi + rdx], 0
        je print
        inc rdx
        jmp length
print:  mov byte ptr [rsi + rdx], 10    # the stack is the program's own
        inc rdx
        mov eax, 1                      # write
        mov edi, 1
        syscall
        jmp list
