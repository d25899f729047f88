# Prints the file that argv[1] names: open, read and write, as a Linux program makes them, from ring 3.
#
# The same bytes run under Linux itself. System calls: number in rax, arguments in rdi, rsi, rdx; a result from
# -4095 to -1 is -errno (syscall(2)).

        .set SYS_read, 0
        .set SYS_write, 1
        .set SYS_open, 2
        .set SYS_close, 3
        .set SYS_exit_group, 231

        .set STDOUT, 1
        .set STDERR, 2
        .set O_RDONLY, 0
        .set BUFFER_SIZE, 4096

        .section .rodata
usage_text:
        .ascii "usage: os-release FILE\n"
        .set usage_text_size, . - usage_text

        .text
        .globl _start
_start:
        mov rdi, [rsp + 16]             # rsp: argc, argv[0], argv[1]
        test rdi, rdi
        jz usage

        mov eax, SYS_open
        mov esi, O_RDONLY
        syscall
        test rax, rax
        js failed
        mov r12, rax                    # the descriptor; rbx, rbp and r12 to r15 survive a system call

read_some:
        mov eax, SYS_read
        mov rdi, r12
        lea rsi, [rip + buffer]
        mov edx, BUFFER_SIZE
        syscall
        test rax, rax
        js failed
        jz end_of_file
        lea r13, [rip + buffer]         # what is left to write: from r13, r14 bytes
        mov r14, rax

write_some:
        mov eax, SYS_write
        mov edi, STDOUT
        mov rsi, r13
        mov rdx, r14
        syscall
        test rax, rax
        js failed
        add r13, rax                    # write may take less than it was given (write(2))
        sub r14, rax
        jnz write_some
        jmp read_some

end_of_file:
        mov eax, SYS_close
        mov rdi, r12
        syscall
        xor edi, edi
        jmp exit

failed: neg rax                         # the errno becomes the exit status
        mov rdi, rax
exit:   mov eax, SYS_exit_group
        syscall

usage:  mov eax, SYS_write
        mov edi, STDERR
        lea rsi, [rip + usage_text]
        mov edx, usage_text_size
        syscall
        mov edi, 2
        jmp exit

        .bss
buffer: .skip BUFFER_SIZE
