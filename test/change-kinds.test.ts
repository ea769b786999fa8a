import { changeKinds as written } from '@sallyport/auth';
import { changeKinds as read } from '@sallyport/guard';
import { expect, it } from 'vitest';

it('guards read the kinds of change that the engine writes', () => {
  expect(read).toEqual(written);
});
