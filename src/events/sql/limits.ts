/** Past these an expression is refused (S4). An expression within them is parsed, compiled and evaluated by recursion without fear. */

export const MAX_CHARACTERS = 16_384;

/** How deep parentheses, functions, sets, NOT and - may stand in one another. */
export const MAX_NESTING = 100;

/** Operators and functions together: a chain of them is a tree as deep as it is long. */
export const MAX_OPERATORS = 1000;
