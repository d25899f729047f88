/**
 * Byte sequences that cover the opcode space: every opcode of every map under sets of prefixes, with register and
 * memory operands, in one mode. Deterministic for a seed.
 */

/** A small generator (mulberry32): the sweep needs variety, not quality. */
export function random(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

const LEGACY_MAPS = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];

/** Prefix sets that change what an instruction is, and those that only decorate it. */
const MEANINGFUL = [[], [0x66], [0xf3], [0xf2], [0x66, 0xf2], [0x66, 0xf3]];
const DECORATING = [
  [0x67],
  [0x67, 0x66],
  [0x2e],
  [0x3e],
  [0x26],
  [0x36],
  [0x64],
  [0x65],
  [0xf0],
  [0xf2, 0xf0],
  [0xf3, 0xf0],
  [0x66, 0xf0],
  [0x3e, 0xf2],
];
const REX = [[], [0x48], [0x4c], [0x41], [0x40], [0x44], [0x42], [0x4f]];

const LENGTH = 15;

function tail(next, small) {
  const bytes = Array.from({ length: LENGTH }, () => next(256));
  // Displacements and immediates near zero are as interesting as wild ones.
  if (small) for (let i = 1; i < LENGTH; i++) bytes[i] = i % 4 === 1 ? next(256) : 0;
  return bytes;
}

/** `modrm` bytes: each digit with a register, and with each kind of memory operand in turn. */
function* modrmBytes(next) {
  for (let digit = 0; digit < 8; digit++) {
    yield 0xc0 | (digit << 3) | next(8);
    yield (next(3) << 6) | (digit << 3) | next(8);
  }
}

export function* legacy(mode, seed = 1) {
  const next = random(seed + mode);
  const rexes = mode === 64 ? REX : [[]];
  for (const map of LEGACY_MAPS) {
    for (let opcode = 0; opcode < 256; opcode++) {
      for (const prefixes of MEANINGFUL) {
        for (const rex of rexes.slice(0, 2)) {
          for (const modrm of modrmBytes(next)) {
            yield [...prefixes, ...rex, ...map, opcode, modrm, ...tail(next, next(2) === 0)];
          }
        }
        for (const rex of rexes.slice(2)) {
          for (let i = 0; i < 2; i++) yield [...prefixes, ...rex, ...map, opcode, ...tail(next, i === 0)];
        }
      }
      for (const prefixes of DECORATING) {
        for (let i = 0; i < 3; i++)
          yield [...prefixes, ...rexes[next(rexes.length)], ...map, opcode, ...tail(next, i === 0)];
      }
    }
  }
  // Groups with fixed second bytes, x87 among them.
  for (const head of [
    [0x0f, 0x01],
    [0x0f, 0xae],
    [0x0f, 0xc7],
    [0x0f, 0x1e],
    [0x0f, 0xa6],
    [0x0f, 0xa7],
    [0x0f, 0x00],
    [0xc6],
    [0xc7],
    [0x0f, 0x1c],
    [0x0f, 0x0d],
    [0x0f, 0x18],
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((i) => [0xd8 + i]),
  ]) {
    for (let modrm = 0; modrm < 256; modrm++) {
      for (const prefixes of MEANINGFUL) {
        for (const rex of rexes.slice(0, 2)) yield [...prefixes, ...rex, ...head, modrm, ...tail(next, true)];
      }
    }
  }
  for (let suffix = 0; suffix < 256; suffix++) {
    yield [0x0f, 0x0f, 0xc0 | next(64), suffix];
    yield [0x0f, 0x0f, 0x40 | (next(8) << 3), 0x10, suffix];
  }
}

/** VEX (three bytes, and two where they can say it) and XOP. */
export function* vex(mode, seed = 2) {
  const next = random(seed + mode);
  for (const [first, maps] of [
    [0xc4, [1, 2, 3, 0, 4, 5, 6, 7]],
    [0x8f, [8, 9, 10]],
  ]) {
    for (const map of maps) {
      const rounds = map > 3 && first === 0xc4 ? 1 : 2;
      for (let opcode = 0; opcode < 256; opcode++) {
        for (let fields = 0; fields < 16; fields++) {
          const pp = fields & 3;
          const l = (fields >> 2) & 1;
          const w = fields >> 3;
          const modrms = [...modrmBytes(next)];
          for (const modrm of rounds === 1 ? modrms.slice(0, 2) : modrms) {
            for (const vvvv of [15, next(16)]) {
              const high = mode === 64 ? next(8) << 5 : 0xe0;
              const second = high | map;
              const third =
                (w << 7) | (mode === 64 || vvvv === 15 ? vvvv << 3 : (vvvv | 8) << 3) | (l << 2) | pp;
              const bytes = tail(next, next(2) === 0);
              bytes[0] = modrm;
              yield [first, second, third, opcode, ...bytes];
              if (first === 0xc4 && map === 1 && w === 0) {
                yield [0xc5, (third & 0x7f) | (mode === 64 ? next(2) << 7 : 0x80), opcode, ...bytes];
              }
            }
          }
        }
      }
    }
  }
}

export function* evex(mode, seed = 3) {
  const next = random(seed + mode);
  for (const map of [1, 2, 3, 5, 6]) {
    for (let opcode = 0; opcode < 256; opcode++) {
      for (let fields = 0; fields < 32; fields++) {
        const pp = fields & 3;
        const w = (fields >> 2) & 1;
        const ll = fields >> 3;
        for (let i = 0; i < 10; i++) {
          const register = i % 2 === 0;
          const modrm = register ? 0xc0 | next(64) : (next(3) << 6) | next(64);
          const high = mode === 64 ? next(16) << 4 : 0xf0;
          const vvvv = i < 3 ? 15 : mode === 64 ? next(16) : 8 | next(8);
          const v2 = i < 3 || mode !== 64 ? 1 : next(2);
          const aaa = i < 4 ? 0 : next(8);
          const z = aaa !== 0 ? next(2) : 0;
          const b = i === 2 || i === 3 || i === 7 || i === 8 ? 1 : 0;
          const bytes = tail(next, next(2) === 0);
          bytes[0] = modrm;
          yield [
            0x62,
            high | map,
            (w << 7) | (vvvv << 3) | 4 | pp,
            (z << 7) | (ll << 5) | (b << 4) | (v2 << 3) | aaa,
            opcode,
            ...bytes,
          ];
        }
      }
    }
  }
}

const EVERY_PREFIX = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65];

/** Any legacy instruction under one to three prefixes of any kind in any order, and prefixes before VEX and EVEX. */
export function* prefixes(mode, seed = 4) {
  const next = random(seed + mode);
  for (let i = 0; i < 60_000; i++) {
    const bytes = Array.from({ length: 1 + next(3) }, () => EVERY_PREFIX[next(EVERY_PREFIX.length)]);
    if (mode === 64 && next(3) === 0) bytes.push(0x40 | next(16));
    const kind = next(10);
    if (kind === 0) bytes.push(0xc5, 0x80 | next(128));
    else if (kind === 1) bytes.push(0x62, 0xf1 | next(3), 0x7c | next(4), 0x08 | (next(2) << 5));
    else bytes.push(...LEGACY_MAPS[[0, 0, 0, 1, 1, 2, 3][next(7)]]);
    yield [...bytes, next(256), ...tail(next, next(2) === 0)];
  }
}
