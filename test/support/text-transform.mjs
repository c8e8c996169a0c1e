// Jest transform: a file imported as its text, as esbuild's loader `text` does.
export default {
  process: (source) => ({ code: `module.exports = ${JSON.stringify(source)};` }),
};
