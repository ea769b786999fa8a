/** Koa 2 beside Koa 3: what the tests use of them has the same types. */
declare module 'koa2' {
  import Koa = require('koa');
  export = Koa;
}
