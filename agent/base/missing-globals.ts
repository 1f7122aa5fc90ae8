/** Adds the globals for explicit resource management, which Node has from version 24 on. */
export async function addMissingGlobals(): Promise<void> {
  if ('AsyncDisposableStack' in globalThis) return;
  const [asyncStack, stack, error] = await Promise.all([
    import('core-js-pure/actual/async-disposable-stack/index.js'),
    import('core-js-pure/actual/disposable-stack/index.js'),
    import('core-js-pure/actual/suppressed-error.js'),
  ]);
  Object.assign(globalThis, {
    AsyncDisposableStack: asyncStack.default,
    DisposableStack: stack.default,
    SuppressedError: error.default,
  });
}
