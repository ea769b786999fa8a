// npm run test:soak [-- minutes [sqlite | postgres]]: half an hour of steady load on each database, and what it leaves.
import { build, runTool } from './tool.js';

process.exitCode = build().status === 0 ? runTool('tsx', ['test/soak/main.ts', ...process.argv.slice(2)]).status : 1;
