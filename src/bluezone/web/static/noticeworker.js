// SPDX-License-Identifier: Apache-2.0
// Shows that something waits, with numbers alone, and opens the office when the notice is pressed.

self.addEventListener("push", (event) => {
  let said = {};
  try {
    said = event.data.json();
  } catch {
    // Every push has to show something; what cannot be read says the least.
  }
  const text = said.type === "work" && typeof said.text === "string" ? said.text : "";
  event.waitUntil(self.registration.showNotification("Bluezone", { body: text, tag: "work", renotify: true, lang: "vi" }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow("/"));
});
