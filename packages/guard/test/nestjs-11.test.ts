import 'reflect-metadata';
import * as common from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, it, vi } from 'vitest';
import { describeGuard } from './guard-contract.ts';
import { beforeEverything, byController, onRoutes } from './nestjs-apps.ts';

// The adapter and this file get NestJS 11, a CommonJS package that finds the rest of itself beside it.
const { older } = await vi.hoisted(async () => {
  const { createRequire } = await import('node:module');
  const require = createRequire(new URL('../../../test/older-frameworks/package.json', import.meta.url));
  return { older: (name: string): object => Object(require(name)) };
});
vi.mock('@nestjs/common', () => older('@nestjs/common'));
vi.mock('@nestjs/core', () => older('@nestjs/core'));

const onExpress = (module: common.DynamicModule) => NestFactory.create(module, { logger: false });

it('is NestJS 11 that is tested here', () => {
  expect(older('@nestjs/core/package.json')).toMatchObject({ version: expect.stringMatching(/^11\./) as string });
  expect(common.HttpException).toBe(Reflect.get(older('@nestjs/common'), 'HttpException'));
});

describeGuard('nestjs 11, on routes', onRoutes(common, onExpress), { readsBodies: true, inParallel: true });
describeGuard('nestjs 11, on controllers', byController(common, onExpress), { readsBodies: true });
describeGuard('nestjs 11, before everything', beforeEverything(common, onExpress), { readsBodies: true });
