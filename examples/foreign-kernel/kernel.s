# A kernel that knows nothing of kvmkit: a flat image that starts at address 0 in 64-bit mode.
#
#   rsp -> argc, argv[0], …, 0        argv[0] is the path of the file to open
#   rdi =  the first free byte of physical memory; all below it is mapped to itself
#
# It asks the host by pairs of `out` and `in` on one port: `out` carries a value or a physical address in eax,
# `in` brings the result, or -errno. All of it is 32 bits wide.

        .set HC_OPEN, 0x8000
        .set HC_READ, 0x8001
        .set HC_WRITE, 0x8002
        .set HC_CLOSE, 0x8003
        .set HC_EXIT, 0x8005
        .set HC_PANIC, 0xffff

        .set STDOUT, 1

start:  mov eax, [rsp + 8]              # the strings lie below 2 MiB: 32 bits hold their address
        test eax, eax
        jz no_program

        mov edx, HC_OPEN
        call hypercall
        test eax, eax
        js failed
        mov r12d, eax

next:   lea rbx, [rip + request]        # read(file, buffer, size)
        mov [rbx], r12
        lea rax, [rip + buffer]
        mov [rbx + 8], rax
        mov qword ptr [rbx + 16], 512
        mov edx, HC_READ
        call request_of_rbx
        test eax, eax
        js failed
        jz done

        mov qword ptr [rbx], STDOUT     # write(STDOUT, buffer, what was read)
        mov [rbx + 16], rax
        mov edx, HC_WRITE
        call request_of_rbx
        test eax, eax
        js failed
        jmp next

done:   mov eax, r12d
        mov edx, HC_CLOSE
        call hypercall
        xor eax, eax
        jmp exit

failed: neg eax                         # the errno becomes the exit status
exit:   mov edx, HC_EXIT                # ends the run at the `out`
        out dx, eax

no_program:
        lea rax, [rip + no_program_text]
        mov edx, HC_PANIC               # the same, with a message
        out dx, eax

# edx = port, rbx = address of a request -> eax
request_of_rbx:
        mov eax, ebx
# edx = port, eax = value -> eax
hypercall:
        out dx, eax
        in eax, dx
        ret

no_program_text:
        .asciz "the manifest names no program to open"

        .balign 8
request:
        .skip 24
buffer: .skip 512
