export type { AttributeTexts, Filter } from "./filter.ts";
export { FilterError } from "./filter-error.ts";
export { compileFilters, Filters } from "./filters.ts";
