/** vm.call(): functions of a program that waits for calls. */

import { t as type } from "./argument-types.js";
import { machineTest } from "./internal-testing/accelerators.js";
import { machine, servingGuest } from "./internal-testing/guests.js";
import { createVm } from "./vm.js";

const FUNCTIONS = `
.globl nothing, sum9, weigh, half, count, shout, norm, crash, leave, spin, clobber, answer
nothing: ret
answer: mov rax, -42; ret
# sum9(a..f, g, h, i): the last three are on the stack
sum9:
  lea rax, [rdi + rsi]; add rax, rdx; add rax, rcx; add rax, r8; add rax, r9
  add rax, [rsp + 8]; add rax, [rsp + 16]; add rax, [rsp + 24]; ret
# weigh(i32 a, f64 b, u8 c, f64 d) = a * b + c * d
weigh:
  cvtsi2sd xmm2, edi; mulsd xmm0, xmm2; movzx esi, sil; cvtsi2sd xmm2, esi; mulsd xmm1, xmm2; addsd xmm0, xmm1; ret
half: mov eax, 0x3fe00000; shl rax, 32; movq xmm1, rax; mulsd xmm0, xmm1; ret
# count(text) = its length
count: xor eax, eax
1: cmp byte ptr [rdi + rax], 0; je 2f; inc rax; jmp 1b
2: ret
# shout(buffer, length): upper case, in place; returns rsp % 16 at its entry
shout: lea rcx, [rdi + rsi]
1: cmp rdi, rcx; je 2f; and byte ptr [rdi], 0xdf; inc rdi; jmp 1b
2: lea rax, [rsp]; and eax, 15; ret
# norm(struct { i32 x; i64 y; f64 length } *)
norm: movsxd rax, dword ptr [rdi]; add rax, [rdi + 8]; cvtsi2sd xmm0, rax; movsd [rdi + 16], xmm0; neg qword ptr [rdi + 8]; ret
crash: mov eax, [0x10]; ret
leave: mov edi, 7; mov eax, 231; syscall
spin: jmp spin
# a function may change what the psABI lets it
clobber: mov ecx, -1; mov edx, -1; mov esi, -1; mov edi, -1; mov r8, -1; mov r9, -1; mov r10, -1; mov r11, -1; xor eax, eax; ret
`;

machineTest("call: integers in registers and on the stack; the result is rax", async (t, accel) => {
  const vm = await machine(t, servingGuest(FUNCTIONS, { accel }));
  vm.warmUp();
  t.is(vm.call("answer"), -42n);
  t.is(vm.call("sum9", 1, 2n, 3, 4, 5, 6, 700, 8000n, -9), 8712n);
  t.is(vm.call("clobber"), 0n);
  t.is(vm.call("sum9", -1, true, 0, 0, 0, 0, 0, 0, 0), 0n);
});

machineTest("call: strings, bytes that come back changed, and 300,000 bytes at once", async (t, accel) => {
  const vm = await machine(t, servingGuest(FUNCTIONS, { accel }));
  vm.warmUp();
  t.is(vm.call("count", "héllo"), 6n);
  t.is(vm.call("count", ""), 0n);
  const bytes = new TextEncoder().encode("kernel");
  // At a function's entry the return address has been pushed: psABI, "The Stack Frame".
  t.is(vm.call("shout", bytes, bytes.length), 8n);
  t.is(new TextDecoder().decode(bytes), "KERNEL");
  const large = new Uint8Array(300_000).fill(0x61);
  vm.call("shout", large, large.length);
  t.true(large.every((byte) => byte === 0x41));
  t.is(vm.call("count", "x".repeat(200_000)), 200_000n);
});

machineTest("guestFunction: signatures carry every class of argument", async (t, accel) => {
  const vm = await machine(t, servingGuest(FUNCTIONS, { accel }));
  vm.warmUp();
  const { f64, i32, u8, i64 } = type;
  const weigh = vm.guestFunction("weigh", { args: [i32, f64, u8, f64], returns: f64 });
  t.is(weigh(-3, 1.5, 200, 0.25), 45.5);
  t.is(vm.guestFunction("half", { args: [f64], returns: f64 })(Math.PI), Math.PI / 2);
  t.is(vm.guestFunction("answer", { args: [], returns: u8 })(), 214);
  t.is(vm.guestFunction("answer", { args: [], returns: i32 })(), -42);
  t.is(vm.guestFunction("answer", { args: [], returns: i64 })(), -42n);
  t.is(vm.guestFunction("answer", { args: [], returns: type.u64 })(), 2n ** 64n - 42n);
  t.is(vm.guestFunction("answer", { args: [], returns: type.bool })(), true);
  t.is(vm.guestFunction("answer", { args: [], returns: type.enum({ lost: -42, found: 1 }) })(), "lost");
  t.is(vm.guestFunction("nothing", { args: [] })(), undefined);
  const upper = vm.guestFunction("shout", { args: [type.buffer.inout(16)], returns: u8 });
  const bytes = new TextEncoder().encode("abc");
  // @ts-expect-error: a buffer is bytes
  t.throws(() => upper("abc"), { code: "ERR_VM_CALL_ARGUMENT" });
  upper(bytes);
  t.is(new TextDecoder().decode(bytes), "ABC");
  const vector = { x: 3, y: 4n, length: 0 };
  const norm = vm.guestFunction("norm", {
    args: [type.struct("vector", { x: "i32", y: "i64", length: "f64" }).inout()],
  });
  // @ts-expect-error: a field is missing
  t.throws(() => norm({ x: 3, y: 4n }), { code: "ERR_VM_CALL_ARGUMENT" });
  norm(vector);
  t.deepEqual(vector, { x: 3, y: -4n, length: 7 });
});

machineTest("call: what cannot be passed is refused, and the machine stays warm", async (t, accel) => {
  const vm = await machine(t, servingGuest(FUNCTIONS, { accel }));
  vm.warmUp();
  const refused = (code: string, call: () => unknown): void => {
    t.throws(call, { code }, String(call));
  };
  refused("ERR_VM_CALL_SYMBOL", () => vm.call("absent"));
  refused("ERR_VM_CALL_SYMBOL", () => vm.call("__proto__"));
  refused("ERR_VM_CALL_ARGUMENT", () => vm.call("nothing", 1.5));
  refused("ERR_VM_CALL_ARGUMENT", () => vm.call("nothing", {}));
  refused("ERR_VM_CALL_ARGUMENT", () => vm.call("nothing", undefined));
  refused("ERR_VM_CALL_ARGUMENT", () => vm.call("count", "a\0b"));
  refused("ERR_VM_CALL_MEMORY", () => vm.call("count", new Uint8Array(64 * 2 ** 20)));
  const half = vm.guestFunction("half", { args: [type.u8], returns: type.u8 });
  refused("ERR_VM_CALL_ARGUMENT", () => half(256));
  refused("ERR_VM_CALL_ARGUMENT", () => half(-1));
  // @ts-expect-error: the types say so too
  refused("ERR_VM_CALL_ARGUMENT", () => half());
  // @ts-expect-error: the types say so too
  refused("ERR_VM_CALL_ARGUMENT", () => half("1"));
  refused("ERR_VM_CALL_ARGUMENT", () => vm.guestFunction("half", { args: [type.handle("file")] }));
  refused("ERR_VM_CALL_ARGUMENT", () =>
    vm.guestFunction("count", { args: [type.cstring(2)], returns: type.i64 })("abc"),
  );
  refused("ERR_VM_STATE", () => vm.runSync());
  refused("ERR_VM_STATE", () => vm.warmUp());
  t.is(vm.call("answer"), -42n);
});

machineTest("call: a fault, an exit and a limit end the machine, and say how", async (t, accel) => {
  const ends = [
    ["crash", "killed", /crash.*SIGSEGV at 0x[0-9a-f]+ <crash\+0x0>/],
    ["leave", "exited", /leave.*status 7/],
    ["spin", "limit", /spin.*limit wall/],
  ] as const;
  for (const [symbol, kind, message] of ends) {
    const vm = await machine(t, servingGuest(FUNCTIONS, { accel, limits: { wallMs: 20_000, callMs: 200 } }));
    vm.warmUp();
    t.is(vm.result, undefined);
    t.throws(() => vm.call(symbol), { code: "ERR_VM_CALL_ENDED", message });
    t.is(vm.result?.kind, kind);
    t.throws(() => vm.call("answer"), { code: "ERR_VM_STATE" });
  }
});

machineTest("warmUp: a program that ends first is an error with its result", async (t, accel) => {
  const vm = await machine(t, {
    ...servingGuest("nop", { accel }),
    plugins: servingGuest("").plugins!.slice(0, -1),
  });
  t.throws(() => vm.warmUp(), { code: "ERR_VM_CALL_ENDED", message: /warmUp.*status 99/ });
  t.is(vm.result?.kind, "exited");
});

machineTest("calls: without a caller the loop returns", async (t, accel) => {
  const vm = await machine(t, servingGuest("nop", { accel }));
  const result = vm.runSync();
  t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 99]);
});

machineTest(
  "call: a guest that lies about its memory gets nothing, and takes nothing down",
  async (t, accel) => {
    for (const frame of ["0", "8", "-16", "0x800000000000", "0xffff800000000000", "0x70000000"]) {
      // It waits by itself, with a frame of its own choice, and calls nothing.
      const lying = `.globl lie\nlie: mov rsi, ${frame}; mov eax, SYS_call_next; xor edi, edi; syscall; jmp lie`;
      const vm = await machine(t, servingGuest(lying, { accel }));
      vm.warmUp();
      const refused = { code: "ERR_VM_CALL_MEMORY" };
      vm.call("lie");
      t.throws(() => vm.call("lie", "text"), refused, frame);
      t.throws(() => vm.guestFunction("lie", { args: [type.f64] })(1), refused, frame);
      // Without memory there is nothing to refuse. What it passes then is no better.
      vm.call("lie");
      t.throws(() => vm.call("lie", new Uint8Array(100_000)), refused, frame);
    }
  },
);

machineTest("close: a warm machine can be closed, and its plugins hear of it", async (t, accel) => {
  const vm = await createVm(servingGuest(FUNCTIONS, { accel }));
  vm.warmUp();
  vm.close();
  t.is(vm.result?.kind, "aborted");
  t.throws(() => vm.call("answer"), { code: "ERR_VM_STATE" });
});

machineTest("call: 10,000 calls on one machine, each with its own answer", async (t, accel) => {
  const vm = await machine(t, servingGuest(FUNCTIONS, { accel }));
  vm.warmUp();
  let wrong = 0;
  for (let n = 0; n < 10_000; n++) {
    if (vm.call("sum9", n, n, 0, 0, 0, 0, 0, 0, n) !== BigInt(3 * n)) wrong++;
  }
  t.is(wrong, 0);
});
