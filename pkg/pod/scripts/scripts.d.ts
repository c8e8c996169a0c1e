/** Shell scripts are imported as their text: esbuild's loader `text`, and test/support/text-transform.mjs in Jest. */
declare module '*.sh' {
  const text: string;
  export default text;
}
