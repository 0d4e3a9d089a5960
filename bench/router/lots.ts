import { Random } from "../../test/process/random.ts";
import { dealHouseNumbers, dealStreets, dealStreetTypes } from "./lot-addresses.ts";
import { dealLotNumbers } from "./lot-numbers.ts";
import { dealShapes, type Point, type Shape } from "./lot-shapes.ts";

/**
 * Events in the shape of San Francisco's city lots as event-ruler's benchmark reads them: its fields, its arrays of points as objects.
 * The real ones are not shipped with this project. Values are dealt so that event-ruler's 70 rules match about as often as there; each
 * field is dealt on its own. The same seed gives the same events.
 */
export function makeLots(count: number, seed: number): string[] {
  const random = new Random(seed);
  const lotNumbers = dealLotNumbers(count, random);
  const streets = dealStreets(count, random);
  const streetTypes = dealStreetTypes(count, random);
  const houseNumbers = dealHouseNumbers(count, random);
  return dealShapes(count, random).map((shape, i) => {
    const lotNumber = lotNumbers[i] ?? "";
    const from = houseNumbers[i] ?? "";
    const properties = {
      MAPBLKLOT: lotNumber,
      BLKLOT: lotNumber,
      BLOCK_NUM: lotNumber.slice(0, -3),
      LOT_NUM: lotNumber.slice(-3),
      FROM_ST: from,
      TO_ST: String(Number(from) + 2 * random.whole(0, 9)),
      STREET: streets[i] ?? "",
      ST_TYPE: streetTypes[i] ?? null,
      ODD_EVEN: Number(from) % 2 === 0 ? "E" : "O",
    };
    return `{"type":"Feature","properties":${JSON.stringify(properties)},"geometry":${geometry(shape)}}`;
  });
}

/** By hand, because JSON.stringify would write 0.0 as 0. */
function geometry({ type, points }: Shape): string {
  const [first = ""] = points.map(point);
  return `{"type":"${type}","coordinates":[${points.map(point).join(",")}],"firstCoordinates":${first}}`;
}

function point({ x, y }: Point): string {
  return `{"x":${x},"y":${y},"z":0.0}`;
}
