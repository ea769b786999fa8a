export type { RequestInfo, UnreadableTarget } from './exchange.ts';
export { expressHandler, type NodeListener } from './express-handler.ts';
export { createHandler, type Handler, type HandlerOptions, type RequestRecord } from './handler.ts';
