import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["test/campaign/*.ts"], disableConsoleIntercept: true } });
