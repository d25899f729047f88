; The first lesson: sixteen bits, no stack, no tables. cs:ip is 0:0, where the image was loaded.
;
; Port 0x217 is the console port: each byte written to it appears on stdout.

CONSOLE equ 0x217

        bits 16

        mov al, 'a'
        mov dx, CONSOLE
        out dx, al
        mov al, 10              ; a newline
        out dx, al
        hlt                     ; nothing can wake it, so the run ends
