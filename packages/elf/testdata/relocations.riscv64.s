  .globl here
here:
  call elsewhere
  lui a0, %hi(table)
  addi a0, a0, %lo(table)
  .data
table: .quad here, elsewhere + 4
