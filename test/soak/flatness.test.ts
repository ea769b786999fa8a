import { describe, expect, it } from 'vitest';
import { courseOf } from './flatness.ts';

const minutes = Array.from({ length: 40 }, (_, index) => index);
const isFlat = (values: readonly number[], slack = 0): boolean => courseOf(values, { slack }).isFlat;

describe('a measure over a run', () => {
  it('is flat when it has stopped growing in the first half', () => {
    expect(isFlat(minutes.map((minute) => 100 + Math.min(minute, 20)))).toBe(true);
    expect(isFlat(minutes.map(() => 0))).toBe(true);
  });

  it('is flat when it goes up and down', () => {
    expect(isFlat(minutes.map((minute) => 100 + (minute % 5)))).toBe(true);
    expect(isFlat(minutes.map((minute) => 200 - minute))).toBe(true);
  });

  it('is not flat when it goes on growing', () => {
    expect(isFlat(minutes.map((minute) => 100 + minute))).toBe(false);
    expect(isFlat(minutes.map((minute) => minute))).toBe(false);
  });

  it('may grow by its slack', () => {
    expect(isFlat(minutes.map((minute) => 100 + minute))).toBe(false);
    expect(
      isFlat(
        minutes.map((minute) => 100 + minute),
        10,
      ),
    ).toBe(true);
  });

  it('is not flat when nothing was measured', () => {
    expect(isFlat([])).toBe(false);
  });

  it('is told quarter by quarter', () => {
    expect(courseOf(minutes, { slack: 0 }).quarters).toEqual([5, 15, 25, 35]);
  });
});
