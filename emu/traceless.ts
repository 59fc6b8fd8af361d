/**
 * Errors that come about all day: a call of a program's that fails, a page that is not there. V8 makes an `Error` with a record of where, which takes it
 * longer than such a call; without one (`stackTraceLimit` 0) it still takes a call each. These are plain objects that pass for errors.
 */
interface TracelessConstructor {
  new (message: string): Error;
  readonly prototype: Error;
}

/** A function, not a class: a class that extends Error has to make one. */
function Traceless(this: { message: string }, message: string): void {
  this.message = message;
}
Traceless.prototype = Object.create(Error.prototype, {
  constructor: { value: Traceless, writable: true, configurable: true },
  stack: {
    get(this: Error): string {
      return `${this.name}: ${this.message}`;
    },
    configurable: true,
  },
});

export class TracelessError extends (Traceless as unknown as TracelessConstructor) {}
