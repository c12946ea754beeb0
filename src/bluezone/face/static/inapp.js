// SPDX-License-Identifier: Apache-2.0
/** Browsers inside other apps, where neither the camera nor installing works: Zalo's and Facebook's above all. */

const KNOWN = [
  [/\bZalo/i, "Zalo"],
  [/\bFB(AN|AV|_IAB)|\bMessenger/i, "Facebook"],
  [/\bInstagram/i, "Instagram"],
  [/\bLine\//i, "LINE"],
  [/\bBytedanceWebview|musical_ly|TikTok/i, "TikTok"],
  [/\bMicroMessenger/i, "WeChat"],
  [/\bViber/i, "Viber"],
  // Any other app that shows pages in Android's WebView.
  [/; wv\)/, ""],
];

/** The name of the app whose browser this is, "" for one unknown, null for a browser of its own. */
export function inAppBrowser(userAgent = navigator.userAgent) {
  const found = KNOWN.find(([pattern]) => pattern.test(userAgent));
  return found === undefined ? null : found[1];
}

/**
 * The address that Android opens in a browser of its own, at one tap; null elsewhere. address: https or http, its
 * fragment kept, for a code may stand there.
 */
export function wayOut(address, userAgent = navigator.userAgent) {
  if (!/\bAndroid\b/.test(userAgent)) return null;
  const [, scheme, rest] = /^(https?):\/\/(.+)$/.exec(address) || [];
  return scheme ? `intent://${rest}#Intent;scheme=${scheme};action=android.intent.action.VIEW;end` : null;
}
