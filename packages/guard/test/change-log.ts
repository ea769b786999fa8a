export { ChangeLog } from '../src/testing/change-log.ts';
