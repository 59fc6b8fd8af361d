/** The part of elfy 1.0 that `header.ts` uses; elfy has no types of its own. */
declare module "elfy" {
  export interface ElfyHeader {
    class: "32" | "64";
    endian: "lsb" | "msb";
    type: string | undefined;
    machine: string | undefined;
    entry: number;
    phoff: number;
    shoff: number;
    flags: number;
    phentsize: number;
    phnum: number;
    shentsize: number;
    shnum: number;
    shstrndx: number;
  }
  export interface ElfyProgram {
    offset: number;
    vaddr: number;
    filesz: number;
    memsz: number;
    align: number;
    flags: Readonly<Record<string, boolean>>;
  }
  export interface ElfyParser {
    parseHeader(file: Uint8Array): ElfyHeader;
    parsePrograms(file: Uint8Array, header: ElfyHeader): ElfyProgram[];
  }
  const elfy: { Parser: new () => ElfyParser };

  export { elfy as default };
}
