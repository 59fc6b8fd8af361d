#!/usr/bin/env node
/** What `bin` of package.json names: starts the command from its bundle. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Bundle } from "./bundle.ts";

new Bundle(dirname(fileURLToPath(import.meta.url))).start();
