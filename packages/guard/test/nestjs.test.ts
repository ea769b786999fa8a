import 'reflect-metadata';
import * as common from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { createGuard, type Requirement } from '@sallyport/guard';
import { nestGuard } from '@sallyport/guard/nestjs';
import { describe, expect, it } from 'vitest';
import { describeGuard } from './guard-contract.ts';
import { beforeEverything, byController, onRoutes } from './nestjs-apps.ts';
import { audience, issuer, issuerKeys } from './tokens.ts';

const onExpress = (module: common.DynamicModule) => NestFactory.create(module, { logger: false });
const onFastify = (module: common.DynamicModule) => NestFactory.create(module, new FastifyAdapter(), { logger: false });

describeGuard('nestjs 12, on routes', onRoutes(common, onExpress), { readsBodies: true, inParallel: true });
describeGuard('nestjs 12, on controllers', byController(common, onExpress), { readsBodies: true });
describeGuard('nestjs 12, before everything', beforeEverything(common, onExpress), { readsBodies: true });
describeGuard('nestjs 12 on Fastify, before everything', beforeEverything(common, onFastify), { readsBodies: true });

describe('nestGuard', () => {
  it('refuses a misspelt requirement when the route is declared', () => {
    const { Protect } = nestGuard(createGuard({ issuer, audience, keys: issuerKeys }));
    const misspelt: object = { roles: ['admin'] };
    expect(() => Protect(misspelt as Requirement)).toThrow(TypeError);
  });
});
