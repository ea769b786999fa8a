export { storeContract } from './stores/contract/store-contract.ts';
export type { StoreCheck } from './stores/contract/store-contract.ts';
