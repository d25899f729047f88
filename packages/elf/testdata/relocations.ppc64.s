  .globl here
here:
  bl elsewhere
  lis 3, table@ha
  .data
table: .quad here, elsewhere + 4
