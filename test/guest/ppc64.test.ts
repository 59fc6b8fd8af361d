import { compareWithQemu } from "./programs.ts";

compareWithQemu("ppc64", "qemu-ppc64");
