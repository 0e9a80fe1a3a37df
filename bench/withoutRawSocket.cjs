'use strict';
/**
 * Preloaded into a daemon under test: the optional package raw-socket is as though not installed.
 */
const Module = require('node:module');

const load = Module._load;
Module._load = function (request, ...rest) {
  if (request === 'raw-socket') throw new Error('raw-socket is not installed');
  return load.call(this, request, ...rest);
};
