# 64 bits: paging is on, and the first 2 MiB are mapped to themselves.
#
# Eight characters fit into one register; each turn of the loop writes the lowest and shifts it out.

        .set CONSOLE, 0x217

        movabs rax, 0x0a33323144434241  # "ABCD123\n", the first character lowest
        mov ecx, 8
        mov edx, CONSOLE
next:   out dx, al
        shr rax, 8
        loop next
        hlt
