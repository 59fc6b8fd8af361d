import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: [`test/campaign/${process.env.PPCR_CAMPAIGN ?? "*"}.ts`], disableConsoleIntercept: true },
});
