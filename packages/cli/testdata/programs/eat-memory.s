# Maps one MiB after another and writes to every page, until the machine has none left.
        .text
        .globl _start
_start: mov eax, 9                      # mmap(0, 1 MiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        xor edi, edi
        mov esi, 0x100000
        mov edx, 3
        mov r10d, 0x22
        mov r8, -1
        xor r9d, r9d
        syscall
        test rax, rax
        js refused
        lea rcx, [rax + 0x100000]
touch:  mov byte ptr [rax], 1
        add rax, 4096
        cmp rax, rcx
        jb touch
        jmp _start
refused:
        neg rax                         # an overcommitting kernel kills instead
        mov edi, eax
        mov eax, 231                    # exit_group
        syscall
