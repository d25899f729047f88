  .globl here
here:
  jal elsewhere
  lui $4, %hi(table)
  .data
table: .word here, elsewhere
