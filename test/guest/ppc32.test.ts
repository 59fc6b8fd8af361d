import { compareWithQemu } from "./programs.ts";

compareWithQemu("ppc32", "qemu-ppc");
