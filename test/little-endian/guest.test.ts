import { compareWithQemu } from "../guest/programs.ts";

compareWithQemu("ppc64le", "qemu-ppc64le");
