/** What `emu/host/node/translator-thread.ts` begins a thread with: has its script work, from the bundle. */
import { workerData } from "node:worker_threads";
import type * as Translating from "../translating.ts";
import { Bundle } from "./bundle.ts";

const { work } = new Bundle(import.meta.dirname).loadAlone("translating").module
  .exports as typeof Translating;
work(workerData);
