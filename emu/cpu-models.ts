/** The CPU models, for who wants a list: no run needs it. */
import { modelList } from "./cpu/models.ts";

/** The CPU models there are. */
export const CPU_MODELS: readonly { name: string; description: string }[] = modelList();
