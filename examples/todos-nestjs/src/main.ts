import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.ts';
import { guard, issuer } from './auth.ts';

const { PORT = '8001', FEED_CREDENTIAL = '' } = process.env;
if (FEED_CREDENTIAL !== '') await guard.ready();

const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
await app.listen(Number(PORT), '127.0.0.1');
console.log(`Todos on http://127.0.0.1:${PORT}, trusting ${issuer}`);

// Requests under way are answered, the guard takes leave of the issuer, then the process ends by itself.
const stop = (): void => void app.close().then(() => guard.close());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
