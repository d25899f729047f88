# Faults in the way that the first letter of argv[1] names.
        .text
        .globl _start
_start: mov rsi, [rsp + 16]
        movzx eax, byte ptr [rsi]
        cmp eax, 'r'
        je read
        cmp eax, 'w'
        je write
        cmp eax, 'x'
        je fetch
        cmp eax, 'i'
        je illegal
        cmp eax, 'd'
        je divide
        cmp eax, 'p'
        je privileged
        cmp eax, 'b'
        je breakpoint
        jmp loop

read:   mov rax, [16]
write:  mov byte ptr [rip + _start], 0
fetch:  lea rax, [rip + data]
        jmp rax
illegal:
        ud2
divide: xor ecx, ecx
        div ecx
privileged:
        hlt
breakpoint:
        int3
loop:   jmp loop

        .data
data:   .byte 0xc3
