// Made by kvm build from sample 1.2.3, calls 1.0.0; edits are lost.
#![allow(dead_code, non_camel_case_types, clippy::all)]

use core::arch::asm;
use core::ffi::{c_void, CStr};

/// A number of errno(3).
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// # Safety
/// What the arguments mean is up to the hypercall.
#[inline(always)]
pub unsafe fn syscall(nr: u32, args: [u64; 6]) -> Result<u64, Errno> {
    let result: i64;
    asm!(
        "syscall",
        inlateout("rax") nr as u64 => result,
        in("rdi") args[0],
        in("rsi") args[1],
        in("rdx") args[2],
        in("r10") args[3],
        in("r8") args[4],
        in("r9") args[5],
        lateout("rcx") _,
        lateout("r11") _,
        options(nostack),
    );
    if (-4095..0).contains(&result) { Err(Errno(-result as i32)) } else { Ok(result as u64) }
}

impl Errno {
    pub const ENOENT: Errno = Errno(2);
    pub const EINTR: Errno = Errno(4);
    pub const EIO: Errno = Errno(5);
    pub const EBADF: Errno = Errno(9);
    pub const EACCES: Errno = Errno(13);
    pub const EFAULT: Errno = Errno(14);
    pub const EINVAL: Errno = Errno(22);
    pub const ENAMETOOLONG: Errno = Errno(36);
    pub const ENOSYS: Errno = Errno(38);
    pub const EMSGSIZE: Errno = Errno(90);
    pub const ETIMEDOUT: Errno = Errno(110);
}

// sample 1.2.3: Every type of argument, once. * / A comment's end in a doc ends nothing.

/// Stands for a cursor that the host keeps.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct cursor_handle(pub u32);

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct point {
    pub x: i32,
    pub y: u64,
    pub class: bool,
}
const _: () = assert!(core::mem::size_of::<point>() == 24);

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct range {
    pub low: f64,
    pub high: f64,
    pub base: u64,
}
const _: () = assert!(core::mem::size_of::<range>() == 24);


#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct request_verb(pub u8);
impl request_verb {
    pub const GET: Self = Self(1);
    pub const PUT: Self = Self(2);
}
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct request {
    pub verb: request_verb,
    pub path: *const core::ffi::c_char,
    pub sent: *const u8,
    pub sent_size: u64,
    pub room: *mut u8,
    pub room_size: u64,
    pub cursor: cursor_handle,
    pub deadline: f64,
}
const _: () = assert!(core::mem::size_of::<request>() == 64);


#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct state_phase(pub u16);
impl state_phase {
    pub const OPEN: Self = Self(0);
    pub const SHUT: Self = Self(1);
}
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct state {
    pub phase: state_phase,
    pub count: u32,
}
const _: () = assert!(core::mem::size_of::<state>() == 8);

pub const NR_SCALARS_UNSIGNED: u32 = 0x1000;

/// Unsigned
/// integers.
///
/// - `a`: u8
/// - `b`: u16
/// - `c`: u32
/// - `d`: u64
///
/// Errors: EIO.
#[inline]
pub fn scalars_unsigned(a: u8, b: u16, c: u32, d: u64) -> Result<i64, Errno> {
    let result = unsafe { syscall(NR_SCALARS_UNSIGNED, [a as u64, b as u64, c as u64, d as u64, 0, 0]) }?;
    Ok(result as i64)
}

pub const NR_SCALARS_SIGNED: u32 = 0x1001;

/// - `a`: i8
/// - `b`: i16
/// - `c`: i32
/// - `d`: i64
///
/// Errors: EIO.
#[inline]
pub fn scalars_signed(a: i8, b: i16, c: i32, d: i64) -> Result<i32, Errno> {
    let result = unsafe { syscall(NR_SCALARS_SIGNED, [a as u64, b as u64, c as u64, d as u64, 0, 0]) }?;
    Ok(result as i32)
}

pub const NR_SCALARS_OTHER: u32 = 0x1002;

/// - `flag`: true or false
/// - `ratio`: f64
/// - `address`: address in the program, which the host does not check
///
/// Errors: EIO.
///
/// # Safety
/// The host may use the addresses.
#[inline]
pub unsafe fn scalars_other(flag: bool, ratio: f64, address: *const c_void) -> Result<f64, Errno> {
    let result = syscall(NR_SCALARS_OTHER, [flag as u64, ratio.to_bits(), address as u64, 0, 0, 0])?;
    Ok(f64::from_bits(result))
}

pub const NR_STRINGS: u32 = 0x1003;

/// Looks a name up.
///
/// - `name`: NUL-terminated string of at most 255 bytes
/// - `key`: bytes that the host reads, of at most 64 bytes
/// - `value`: room for bytes that the host writes, of at most 4096 bytes
///
/// Errors: ENOENT, EACCES, EFAULT, EIO, EMSGSIZE, ENAMETOOLONG.
#[inline]
pub fn strings(name: &CStr, key: &[u8], value: &mut [u8]) -> Result<u32, Errno> {
    let result = unsafe { syscall(NR_STRINGS, [name.as_ptr() as u64, key.as_ptr() as u64, key.len() as u64, value.as_mut_ptr() as u64, value.len() as u64, 0]) }?;
    Ok(result as u32)
}

pub const NR_BUFFER_BOTH_WAYS: u32 = 0x1004;

/// - `data`: bytes that the host reads and writes, of at most 16 bytes
/// - `data_size`: u32
///
/// Errors: EFAULT, EIO, EMSGSIZE.
#[inline]
pub fn buffer_both_ways(data: &mut [u8], data_size: u32) -> Result<i64, Errno> {
    let result = unsafe { syscall(NR_BUFFER_BOTH_WAYS, [data.as_mut_ptr() as u64, data.len() as u64, data_size as u64, 0, 0, 0]) }?;
    Ok(result as i64)
}

pub const NR_STRUCTS: u32 = 0x1005;

/// - `from`: struct point that the host reads
/// - `to`: struct point that the host writes
/// - `both`: struct range that the host reads and writes
///
/// Errors: EFAULT, EIO.
#[inline]
pub fn structs(from: &point, to: &mut point, both: &mut range) -> Result<i64, Errno> {
    let result = unsafe { syscall(NR_STRUCTS, [from as *const _ as u64, to as *mut _ as u64, both as *mut _ as u64, 0, 0, 0]) }?;
    Ok(result as i64)
}

pub const NR_RICH_STRUCTS: u32 = 0x1006;

/// - `request`: struct request that the host reads
/// - `state`: struct state that the host reads and writes
///
/// Errors: EFAULT, EIO.
///
/// # Safety
/// The host may use the addresses.
#[inline]
pub unsafe fn rich_structs(request: &request, state: &mut state) -> Result<i64, Errno> {
    let result = syscall(NR_RICH_STRUCTS, [request as *const _ as u64, state as *mut _ as u64, 0, 0, 0, 0])?;
    Ok(result as i64)
}

pub const NR_POINTED: u32 = 0x1007;

/// - `count`: u64 that the host writes
/// - `flag`: bool that the host reads
/// - `level`: f64 that the host reads and writes
/// - `where`: pointer that the host writes
///
/// Errors: EFAULT, EIO.
#[inline]
pub fn pointed(count: &mut u64, flag: &bool, level: &mut f64, where_: &mut u64) -> Result<i64, Errno> {
    let result = unsafe { syscall(NR_POINTED, [count as *mut _ as u64, flag as *const _ as u64, level as *mut _ as u64, where_ as *mut _ as u64, 0, 0]) }?;
    Ok(result as i64)
}

pub const NR_ENUMS: u32 = 0x1008;

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct enums_mode(pub i32);
impl enums_mode {
    pub const FAST: Self = Self(0);
    pub const SAFE: Self = Self(1);
}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct enums_wide(pub i64);
impl enums_wide {
    pub const LOW: Self = Self(-1);
    pub const HIGH: Self = Self(1099511627776);
}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct enums_result(pub u8);
impl enums_result {
    pub const NO: Self = Self(0);
    pub const YES: Self = Self(1);
}

/// - `mode`: one of Fast (0), Safe (1)
/// - `wide`: one of LOW (-1), HIGH (1099511627776)
///
/// Errors: EINVAL, EIO.
#[inline]
pub fn enums(mode: enums_mode, wide: enums_wide) -> Result<enums_result, Errno> {
    let result = unsafe { syscall(NR_ENUMS, [mode.0 as u64, wide.0 as u64, 0, 0, 0, 0]) }?;
    Ok(enums_result(result as u8))
}

pub const NR_HANDLES: u32 = 0x1009;

/// - `cursor`: handle of a cursor
/// - `again`: handle of a cursor
///
/// Errors: EBADF, EIO.
#[inline]
pub fn handles(cursor: cursor_handle, again: cursor_handle) -> Result<i64, Errno> {
    let result = unsafe { syscall(NR_HANDLES, [cursor.0 as u64, again.0 as u64, 0, 0, 0, 0]) }?;
    Ok(result as i64)
}

pub const NR_DELETE: u32 = 0x100a;

/// Its name is a keyword.
///
/// - `default`: u8
///
/// Errors: EIO.
#[inline]
pub fn delete(default: u8) -> Result<bool, Errno> {
    let result = unsafe { syscall(NR_DELETE, [default as u64, 0, 0, 0, 0, 0]) }?;
    Ok(result != 0)
}

pub const NR_LATER: u32 = 0x100b;

/// Errors: EINTR, EIO, ETIMEDOUT.
#[inline]
pub fn later() -> Result<u64, Errno> {
    let result = unsafe { syscall(NR_LATER, [0, 0, 0, 0, 0, 0]) }?;
    Ok(result)
}

// calls 1.0.0: Functions of the program that the host calls.

pub const NR_CALL_NEXT: u32 = 0x100c;

/// Waits for the next call. result: rax of the function that was called last. Programs use kvmkit_serve_calls().
///
/// - `result`: u64
/// - `frame`: address in the program, which the host does not check
///
/// Errors: ENOSYS, EIO.
///
/// # Safety
/// The host may use the addresses.
#[inline]
pub unsafe fn call_next(result: u64, frame: *const c_void) -> Result<i64, Errno> {
    let result = syscall(NR_CALL_NEXT, [result as u64, frame as u64, 0, 0, 0, 0])?;
    Ok(result as i64)
}

/// Waits for calls of the host, vm.call(), and serves them. Returns only where nobody calls: -ENOSYS.
pub fn kvmkit_serve_calls() -> i64 {
    extern "C" {
        fn kvmkit_serve_calls_loop() -> i64;
    }
    // SAFETY: the loop keeps every register that the psABI wants kept.
    unsafe { kvmkit_serve_calls_loop() }
}

core::arch::global_asm!(
    "kvmkit_serve_calls_loop:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "push r12",
    "sub rsp, 64",
    "and rsp, -16",
    "xor edi, edi",
    "1:",
    "mov rsi, rsp",
    "mov eax, {number}",
    "syscall",
    "cmp rax, -38",
    "je 2f",
    "test rax, rax",
    "js 1b",
    "movsd xmm0, qword ptr [rsp + 0]",
    "movsd xmm1, qword ptr [rsp + 8]",
    "movsd xmm2, qword ptr [rsp + 16]",
    "movsd xmm3, qword ptr [rsp + 24]",
    "movsd xmm4, qword ptr [rsp + 32]",
    "movsd xmm5, qword ptr [rsp + 40]",
    "movsd xmm6, qword ptr [rsp + 48]",
    "movsd xmm7, qword ptr [rsp + 56]",
    "mov rcx, r10",
    "mov r11, rax",
    "mov rbx, rsp",
    "mov rsp, r12",
    "mov eax, 8",
    "call r11",
    "mov rsp, rbx",
    "movsd qword ptr [rsp + 0], xmm0",
    "mov rdi, rax",
    "jmp 1b",
    "2:",
    "lea rsp, [rbp - 16]",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    number = const NR_CALL_NEXT,
);
