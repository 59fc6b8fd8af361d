import { freezeAtEveryBoundary } from "./every-boundary.ts";

freezeAtEveryBoundary("ppc64");
