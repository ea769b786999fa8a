// The thread that writes to one SQLite file.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { openToWrite } from './connection.ts';
import { ring } from './doorbell.ts';
import { GroupCommit } from './group-commit.ts';
import type { Request } from './messages.ts';
import type { WorkerSettings } from './writer.ts';

if (parentPort === null) throw new Error('this file runs as a worker thread');
const port = parentPort;
const { file, patience, doorbell } = workerData as WorkerSettings;
const work = new GroupCommit(
  () => openToWrite(file, patience),
  (answers) => port.postMessage(answers),
  () => ring(doorbell),
);

port.on('message', (requests: readonly Request[]) => {
  const all = [...requests];
  // What came during the last commit shares the next one.
  for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
    all.push(...(more.message as readonly Request[]));
  }
  work.take(all);
});
