// SPDX-License-Identifier: Apache-2.0
/** From degrees to a flat drawing in metres, and back to words: where doors lie, what lies near. A ward is small. */

const METRES_A_DEGREE = 110_574;

/** Draws a box (west, south, east, north in degrees). place(longitude, latitude): {x, y} in metres from its corner. */
export class Chart {
  constructor([west, south, east, north]) {
    this.west = west;
    this.north = north;
    this.across = 111_320 * Math.cos(((south + north) / 2) * Math.PI / 180);
    this.width = (east - west) * this.across;
    this.height = (north - south) * METRES_A_DEGREE;
  }

  place(longitude, latitude) {
    return { x: (longitude - this.west) * this.across, y: (this.north - latitude) * METRES_A_DEGREE };
  }

  /** The points of a line or ring as SVG writes them. */
  path(points) {
    return points.map(([longitude, latitude], number) => {
      const { x, y } = this.place(longitude, latitude);
      return `${number ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    }).join("");
  }
}

/** Doors that a thumb could not tell apart, within so many metres, in one spot: [{x, y, doors}]. */
export function spotsOf(chart, doors, within) {
  const spots = [];
  for (const door of doors) {
    const { x, y } = chart.place(door.longitude, door.latitude);
    const near = spots.find((spot) => Math.hypot(spot.x - x, spot.y - y) < within);
    if (near) near.doors.push(door);
    else spots.push({ x, y, doors: [door] });
  }
  return spots;
}

/** The spot nearest to a place, with its metres; null without any. */
export function nearest(spots, { x, y }) {
  let found = null;
  for (const spot of spots) {
    const metres = Math.hypot(spot.x - x, spot.y - y);
    if (!found || metres < found.metres) found = { spot, metres };
  }
  return found;
}
