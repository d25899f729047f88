  .globl here
here:
  bl elsewhere
  movw r0, #:lower16:table
  movt r0, #:upper16:table
  .data
table: .long here, elsewhere
