#!/usr/bin/env node
/** What `bin` of package.json names: starts the command from its bundle. */
import { Bundle } from "./bundle.ts";

new Bundle(import.meta.dirname).start();
