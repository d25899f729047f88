  .globl here
here:
  bl elsewhere
  adrp x0, table
  add x0, x0, :lo12:table
  ldr x1, [x0, :lo12:table]
  .data
table: .xword here, elsewhere + 4
