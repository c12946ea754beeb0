// SPDX-License-Identifier: Apache-2.0
/**
 * "New files, please check": Web Push that names no disease and no person.
 *
 * Subscribing at the server is a call of its own, minutes away from any other, so that a subscription stands beside
 * nothing (docs/attacks.md row 41). The browser's push service sees that this browser is subscribed to this city.
 */
import { Refusal } from "../refusal.js";
import { base64url, fromBase64url } from "./bytes.js";
import { postWithPuzzle } from "./plays.js";

const DELAY_SECONDS = [60, 600];
const RETRY_SECONDS = 3600;
// The server deletes what is not renewed for three months.
const RENEWAL_SECONDS = [14 * 86_400, 28 * 86_400];

export class Push {
  /** parts: {store, clock, city, client, sent, environment}. */
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** {supported, state: "off" | "waiting" | "on" | "denied"}. */
  async read() {
    const config = await this.city.held();
    const offered = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
    const supported = offered && config !== null && config.pushKey !== null;
    if (supported && Notification.permission === "denied") return { supported, state: "denied" };
    const kept = await this.store.get("push");
    return { supported, state: !kept || kept.leaving ? "off" : kept.sent ? "on" : "waiting" };
  }

  /** Ask the owner, subscribe at the browser's push service, tell the server later. Rejects with push_unavailable. */
  async allow() {
    const { supported } = await this.read();
    if (!supported) throw new Refusal("push_unavailable", {}, "this browser or this city has no push");
    if ((await Notification.requestPermission()) !== "granted") return this.read();
    const registration = await navigator.serviceWorker.ready;
    const applicationServerKey = fromBase64url((await this.city.held()).pushKey);
    let subscription;
    try {
      subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    } catch (error) {
      throw new Refusal("push_unavailable", { reason: error.name }, `the push service did not take the subscription: ${error.name}`);
    }
    await this.store.write({ push: { body: bodyOf(subscription), sent: false, leaving: false, sendAt: this.later() } });
    return this.read();
  }

  /** End it here at once, at the server later. */
  async turnOff() {
    await this.unsubscribe();
    const kept = await this.store.get("push");
    if (kept) await this.store.write({ push: kept.sent ? { ...kept, leaving: true, sendAt: this.later() } : undefined });
    return this.read();
  }

  /** End it in this browser; the server learns it from the push service, which then answers "gone". */
  async unsubscribe() {
    if (!("serviceWorker" in navigator)) return;
    const registration = await navigator.serviceWorker.getRegistration();
    const subscription = registration && registration.pushManager && (await registration.pushManager.getSubscription());
    if (subscription) await subscription.unsubscribe();
  }

  /** Tell the server what is due to be told, and again after some weeks; a refusal is tried again after an hour. */
  async goOn() {
    const kept = await this.store.get("push");
    if (!kept || this.clock.now() < kept.sendAt) return;
    const [path, what] = kept.leaving ? ["/v1/push/unsubscribe", "notifications_off"] : ["/v1/push/subscribe", "notifications_on"];
    const bytes = JSON.stringify(kept.body).length;
    try {
      await this.sent.logged(what, bytes, () => postWithPuzzle(this.client, path, kept.body, {}, this.environment.solve));
      await this.store.write({ push: kept.leaving ? undefined : { ...kept, sent: true, sendAt: this.later(RENEWAL_SECONDS) } });
    } catch {
      await this.store.write({ push: { ...kept, sendAt: this.clock.now() + RETRY_SECONDS } });
    }
  }

  /** When the server is to be told something, Unix seconds, or null. */
  async nextAt() {
    const kept = await this.store.get("push");
    return kept && (!kept.sent || kept.leaving) ? kept.sendAt : null;
  }

  later(range = DELAY_SECONDS) {
    return this.clock.now() + this.environment.uniform(...range);
  }
}

function bodyOf(subscription) {
  const key = (name) => base64url(new Uint8Array(subscription.getKey(name)));
  return { endpoint: subscription.endpoint, keys: { p256dh: key("p256dh"), auth: key("auth") } };
}
