/** The functions of a module beside the translated one: what code asked for by a name. */
import { type Code, FIRST_HELPER, type FunctionBody, Op } from "./wasm.ts";

export class HelperFunctions {
  readonly list: FunctionBody[] = [];
  private readonly numbers = new Map<string, number>();

  /** Calls the function of that name, which is made when it is first wanted. */
  call(code: Code, name: string, make: () => FunctionBody): void {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.list.push(make()) - 1;
      this.numbers.set(name, number);
    }
    code.op(Op.call);
    code.u32(FIRST_HELPER + number);
  }
}
