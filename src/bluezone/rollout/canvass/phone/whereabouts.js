// SPDX-License-Identifier: Apache-2.0
/**
 * Where the phone is, as long as a screen asks: told to that screen alone, never stored, never sent. Only this file asks
 * the browser for it.
 */
export class Whereabouts {
  /** told: called with {longitude, latitude, metres} each time it is known better; failed: with "denied" or "unknown". */
  constructor(told, failed) {
    Object.assign(this, { told, failed, watch: null });
  }

  get on() {
    return this.watch !== null;
  }

  start() {
    if (!navigator.geolocation) return this.failed("unknown");
    this.watch = navigator.geolocation.watchPosition(
      ({ coords }) => { if (this.on) this.told({ longitude: coords.longitude, latitude: coords.latitude, metres: coords.accuracy }); },
      (error) => { this.stop(); this.failed(error.code === 1 ? "denied" : "unknown"); },
      { enableHighAccuracy: true, maximumAge: 10_000 });
    return undefined;
  }

  stop() {
    if (this.on) navigator.geolocation.clearWatch(this.watch);
    this.watch = null;
  }
}
