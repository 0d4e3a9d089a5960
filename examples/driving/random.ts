/** Numbers from 0 up to 1 by a linear congruential generator (the constants of Numerical Recipes): good enough to shop by. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
