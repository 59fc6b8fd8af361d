/** `npm start`: sets everything up, then shows a PowerPC program being frozen half way and thawed in a new process. */
import { join } from "node:path";
import { root, run, setUp } from "./setup.mjs";

setUp();
run(process.execPath, [join(root, "dist", "scripts", "demo.js")]);
