/** Tables that few programs need are made when they are first asked for: starting is most of what a short run takes. */
export function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
