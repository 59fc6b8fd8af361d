/** Why a file is not a program that can be run, or a table in it cannot be read. */
export class ElfError extends Error {
  /** Offset in the file of what is wrong. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} (at offset 0x${offset.toString(16)})`);
    this.offset = offset;
  }
}
