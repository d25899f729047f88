/** Appends the fields that DWARF is made of. */

declare const TextEncoder: new () => { encode(text: string): Uint8Array };

export class ByteWriter {
  private bytes = new Uint8Array(256);
  length = 0;

  /** What has been written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** `size` bytes of a number, little end first. */
  number(value: number, size: number): void {
    this.reserve(size);
    for (let i = 0; i < size; i++) {
      this.bytes[this.length++] = value % 256;
      value = Math.floor(value / 256);
    }
  }

  byte(value: number): void {
    this.number(value, 1);
  }

  /** Overwrites what stands at `at`. */
  patch(at: number, value: number, size: number): void {
    const { length } = this;
    this.length = at;
    this.number(value, size);
    this.length = length;
  }

  /** A number in groups of 7 bits (DWARF 5, "Variable Length Data"). */
  uleb(value: number): void {
    for (; value > 127; value = Math.floor(value / 128)) this.byte((value % 128) | 128);
    this.byte(value);
  }

  sleb(value: number): void {
    for (; value < -64 || value > 63; value >>= 7) this.byte((value & 127) | 128);
    this.byte(value & 127);
  }

  /** A string with a zero behind it. */
  text(value: string): void {
    const bytes = new TextEncoder().encode(value.replaceAll("\0", ""));
    this.reserve(bytes.length + 1);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    this.byte(0);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const bytes = new Uint8Array(2 * (this.length + count));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }
}
