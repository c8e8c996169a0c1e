/** For jest in the old tree: what it does not have comes from the present one ($PRESENT_TREE). */
const { existsSync } = require('node:fs');
const { resolve } = require('node:path');

module.exports = (request, options) => {
  try {
    return options.defaultResolver(request, options);
  } catch (error) {
    const wanted = resolve(options.basedir, request);
    const present = wanted.replace(options.rootDir, process.env.PRESENT_TREE);
    if (request.startsWith('.') && present !== wanted && existsSync(present)) return present;
    throw error;
  }
};
