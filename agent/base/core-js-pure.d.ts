/** Each file's export is the constructor; the package has no types of its own. */
declare module 'core-js-pure/actual/async-disposable-stack/index.js' {
  const constructor: AsyncDisposableStackConstructor;
  export default constructor;
}
declare module 'core-js-pure/actual/disposable-stack/index.js' {
  const constructor: DisposableStackConstructor;
  export default constructor;
}
declare module 'core-js-pure/actual/suppressed-error.js' {
  const constructor: SuppressedErrorConstructor;
  export default constructor;
}
