import { describePages } from "./describe-pages.ts";
import { CONCEPTS } from "./pages.ts";

describePages(CONCEPTS);
