import type { Random } from "../../test/process/random.ts";
import { type Card, deal } from "./deck.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Shape {
  readonly type: "Polygon" | "MultiPolygon";
  /** The first one is also `firstCoordinates`. */
  readonly points: readonly Point[];
}

/** The city from west to east, cut where the rules of NUMERIC and COMPLEX_ARRAYS cut it. */
interface Band {
  readonly west: number;
  readonly east: number;
}
const A: Band = { west: -122.5152, east: -122.46471267081272 };
const B: Band = { west: A.east, east: -122.41600944012424 };
const C: Band = { west: B.east, east: -122.4063085128395 };
const D: Band = { west: C.east, east: -122.3571 };

/** The one x and the one y that rules ask for by equality. */
const ASKED_X = -122.42916360922355;
const ASKED_Y = 37.729900216217324;

const WIDTH = 0.0004;

/**
 * Shapes of lots. A lot lies in one band, but for those few that lie across a border, by which COMPLEX_ARRAYS (any point) finds some
 * more lots than NUMERIC (the first point).
 */
export function dealShapes(count: number, random: Random): Shape[] {
  const cards: Card<Shape>[] = [
    { lots: 42_854, draw: () => polygon(within(A, random)) },
    { lots: 216, draw: () => polygon(across(A, B, random)) },
    { lots: 248, draw: () => polygon(across(B, C, random)) },
    { lots: 498, draw: () => polygon(across(C, B, random)) },
    { lots: 20_677, draw: () => polygon(within(C, random)) },
    { lots: 216, draw: () => polygon(across(D, C, random)) },
    { lots: 42_729, draw: () => polygon(within(D, random)) },
    { lots: 2, draw: () => polygon(withX(within(B, random), 0)) },
    { lots: 216, draw: () => polygon(withX(within(B, random), 2)) },
    { lots: 119, draw: () => ({ type: "MultiPolygon", points: within(B, random) }) },
    { lots: 1, draw: () => ({ type: "MultiPolygon", points: withY(within(B, random), 3) }) },
  ];
  return deal(count, cards, () => polygon(within(B, random)), random);
}

function polygon(points: readonly Point[]): Shape {
  return { type: "Polygon", points };
}

function within(band: Band, random: Random): Point[] {
  return around(between(band.west, band.east, random), band, random);
}

/** Begins in one band, close to its border with another, and has its second point there. */
function across(from: Band, to: Band, random: Random): Point[] {
  const border = from.east === to.west ? from.east : from.west;
  const side = from.east === to.west ? -1 : 1;
  const points = around(border + side * between(0.00001, 0.0001, random), from, random);
  const first = points[0] ?? { x: border, y: 0 };
  return points.with(1, { ...first, x: border - side * between(0.00001, 0.0001, random) });
}

function around(x: number, band: Band, random: Random): Point[] {
  const y = between(37.7083, 37.8107, random);
  const others = Array.from({ length: pointCount(random) - 1 }, () => ({
    x: between(Math.max(band.west, x - WIDTH), Math.min(band.east, x + WIDTH), random),
    y: between(y - WIDTH, y + WIDTH, random),
  }));
  return [{ x, y }, ...others];
}

/** 6 to 14, the fewer the more often. */
function pointCount(random: Random): number {
  return 6 + Math.floor(random.next() ** 1.2 * 9);
}

function between(least: number, most: number, random: Random): number {
  return least + random.next() * (most - least);
}

function withX(points: readonly Point[], at: number): Point[] {
  return points.map((point, i) => (i === at ? { ...point, x: ASKED_X } : point));
}

function withY(points: readonly Point[], at: number): Point[] {
  return points.map((point, i) => (i === at ? { ...point, y: ASKED_Y } : point));
}
