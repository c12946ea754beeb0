// SPDX-License-Identifier: Apache-2.0
// A place's code and a reporting link carry their secret behind the `#`, which browsers send to no server: hand it to
// the web edition on this phone. What does not look like one opens nothing.
const SHAPES = { v: /^[A-Za-z0-9_-]{34,600}$/, r: /^[A-Za-z0-9_-]{22}$/ };
const { screen } = document.querySelector("[data-screen]").dataset;
const code = location.hash.slice(1);
const LOOK_MILLISECONDS = 3000;

// A place's code that the city has revoked is in the public list that every phone fetches; the look happens here.
const isRevoked = async () => {
  const bytes = Uint8Array.from(atob(code.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const answer = await fetch("/v1/venues/index.json", { signal: AbortSignal.timeout(LOOK_MILLISECONDS) });
  return JSON.parse(atob((await answer.json()).payload)).revoked.includes(hash);
};

if (!SHAPES[screen].test(code)) document.getElementById("no-code").hidden = false;
// Without a network, or in a browser too old to look, the web edition looks for itself.
else if (screen === "v" && (await isRevoked().catch(() => false))) document.getElementById("withdrawn").hidden = false;
else location.replace(`/app/#/${screen}/${code}`);
