/** Files that the bundler and the test runner put into a module as they are. */
declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare module "*.wgsl" {
  const text: string;
  export default text;
}
