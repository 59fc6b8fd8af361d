/** Something for each of some pages of a file or shared object, by the page's index in it. */
export class PageIndex<V> extends Map<number, V> {
  /** No index is as high. */
  private end: number;

  constructor() {
    super();
    this.end = 0;
  }

  override set(index: number, value: V): this {
    if (index >= this.end) this.end = index + 1;
    return super.set(index, value);
  }

  /** The indices from `first` to before `end`: by way of whichever is shorter, the range or the list of all. */
  within(first: number, end: number): number[] {
    const last = Math.min(end, this.end);
    const found: number[] = [];
    if (last - first < this.size) {
      for (let index = first; index < last; index++) if (this.has(index)) found.push(index);
    } else {
      for (const index of this.keys()) if (index >= first && index < last) found.push(index);
    }
    return found;
  }
}
