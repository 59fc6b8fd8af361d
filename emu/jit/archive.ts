/**
 * What has been translated of a program, for all processes of a machine that run it, and for later runs where the host keeps it.
 */
import type { HostTranslations } from "../host/host.ts";
import { PAGE_SHIFT } from "../memory/layout.ts";
import { MOST_ALIKE } from "../tuning.ts";
import { decodePieces, encodePieces, type Piece } from "./piece.ts";

export class Archive {
  private readonly byEntry = new Map<number, Piece[]>();
  private readonly pieces = new Set<Piece>();
  /** Entries in a page of guest code. */
  private readonly byPage = new Map<number, Set<number>>();
  private readonly host: HostTranslations | undefined;
  private readonly name: string;
  private readonly label: string;
  /** A function of each piece that this run has used, by which the host knows whether it has been optimised. */
  private readonly used = new Map<Piece, () => unknown>();
  private isNew = false;
  /** Of all modules. */
  private bytes = 0;
  private readonly mostBytes: number;

  /** `mostBytes`: of modules; the oldest ones go first. */
  constructor(mostBytes: number, host?: HostTranslations, name = "", label = "") {
    this.mostBytes = mostBytes;
    this.host = host;
    this.name = name;
    this.label = label;
    const bytes = host?.load(name);
    for (const piece of bytes === undefined ? [] : decodePieces(bytes)) this.file(piece);
  }

  private file(piece: Piece): void {
    this.pieces.add(piece);
    this.bytes += piece.wire.length;
    for (const entry of piece.entries) {
      const alike = this.byEntry.get(entry);
      if (alike === undefined) this.byEntry.set(entry, [piece]);
      else alike.push(piece);
      const page = entry >>> PAGE_SHIFT;
      const entries = this.byPage.get(page);
      if (entries === undefined) this.byPage.set(page, new Set([entry]));
      else entries.add(entry);
    }
  }

  get moduleBytes(): number {
    return this.bytes;
  }

  /** What may be entered at an address, the newest last. */
  at(address: number): readonly Piece[] {
    return this.byEntry.get(address) ?? [];
  }
  /** Addresses in a page where there is something. */
  inPage(page: number): Iterable<number> {
    return this.byPage.get(page) ?? [];
  }
  get entryPages(): Iterable<number> {
    return this.byPage.keys();
  }

  add(piece: Piece): void {
    const alike = this.at(piece.entries[0]);
    if (alike.length >= MOST_ALIKE) this.remove(alike[0]);
    this.file(piece);
    this.isNew = true;
    for (const oldest of this.pieces) {
      if (this.bytes <= this.mostBytes) break;
      this.remove(oldest);
    }
  }
  /** Forgets what something better has taken the place of. */
  remove(piece: Piece): void {
    if (!this.pieces.delete(piece)) return;
    this.bytes -= piece.wire.length;
    this.used.delete(piece);
    for (const entry of piece.entries) {
      const alike = this.byEntry.get(entry)?.filter((each) => each !== piece) ?? [];
      if (alike.length > 0) this.byEntry.set(entry, alike);
      else {
        this.byEntry.delete(entry);
        this.byPage.get(entry >>> PAGE_SHIFT)?.delete(entry);
      }
    }
  }

  /** The piece's module, compiled or as an earlier run left it. */
  moduleOf(piece: Piece): WebAssembly.Module {
    if (piece.module === undefined && piece.native !== undefined) {
      piece.module = this.host?.deserialize(piece.native, piece.wire);
      if (piece.module === undefined) piece.native = undefined;
    }
    return (piece.module ??= new WebAssembly.Module(piece.wire));
  }
  /** Says that a piece is in use, as a function. */
  note(piece: Piece, code: () => unknown): void {
    this.used.set(piece, code);
  }

  /** Has the host keep what there is, if that is more than it has. */
  save(): void {
    const { host } = this;
    if (host === undefined) return;
    for (const [piece, code] of this.used) {
      if (piece.native !== undefined || piece.module === undefined) continue;
      piece.native = host.serialize(piece.module, code);
      if (piece.native !== undefined) this.isNew = true;
    }
    if (!this.isNew) return;
    this.isNew = false;
    host.save(this.name, this.label, encodePieces([...this.pieces]));
  }
}
