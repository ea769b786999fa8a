// Runs before every test file: hashing a password costs next to nothing in this process, where thousands of users are made.
import { vi } from 'vitest';

vi.mock(import('../packages/auth/src/passwords/password-cost.ts'), () => ({
  passwordCost: { memoryCost: 8, timeCost: 1, parallelism: 1 },
}));
