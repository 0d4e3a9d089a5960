import { describePages } from "./describe-pages.ts";
import { CONCEPTS, PAGES } from "./pages.ts";

describePages(PAGES.filter((page) => !CONCEPTS.includes(page)));
