; The second lesson: 32 bits, flat segments, no paging. A loop over a string, and a subroutine with a stack.

CONSOLE equ 0x217

        bits 32

        mov esi, message
next:   lodsb                   ; al = the byte at esi, esi = esi + 1
        test al, al
        jz done
        call print
        jmp next
done:   hlt

print:  push edx
        mov edx, CONSOLE
        out dx, al
        pop edx
        ret

message: db "32 bits, and all of memory in one segment", 10, 0
