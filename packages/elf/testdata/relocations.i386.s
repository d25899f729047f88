  .globl here
here:
  call elsewhere
  movl $table, %eax
  movw here16@GOTOFF(%ebx), %ax
  .data
table: .long here, elsewhere + 4
  .section .note.GNU-stack, "", @progbits
