// SPDX-License-Identifier: Apache-2.0
// Written so that any browser can read it: it says so where the app itself cannot be read (lowest: Chrome 90).
(function () {
  var missing = !("noModule" in document.createElement("script")) || !window.Promise || !Promise.any ||
    !window.WeakRef || !Element.prototype.replaceChildren || !String.prototype.replaceAll || !window.indexedDB;
  window.bluezoneTooOld = missing;
  var page = document.documentElement;
  // As words.js and the city's pages choose; what a visitor's language lacks is said in English.
  var chosen = /(?:^|; )bluezone-language=([a-z]+)/.exec(document.cookie);
  var listed = (navigator.languages || [navigator.language || ""]).join(",").toLowerCase();
  if (chosen ? chosen[1] !== "vi" : !/(^|,)vi/.test(listed) && /(^|,)(en|zh)/.test(listed)) page.lang = "en";
  // Who has agreed is not shown again, for a second, what there is to agree to (app.js notes it).
  try {
    if (localStorage.getItem("bluezone-begun")) page.className = "begun";
  } catch (error) {
    page.className = "";
  }
  if (!missing) return;
  var agent = navigator.userAgent;
  var found = /(Chrome|Firefox|Version|SamsungBrowser|UCBrowser)\/(\d+)/.exec(agent);
  var name = found ? (found[1] === "Version" ? "Safari" : found[1]) + " " + found[2] : agent.slice(0, 60);
  document.addEventListener("DOMContentLoaded", function () {
    var places = document.querySelectorAll("[data-browser]");
    for (var i = 0; i < places.length; i += 1) places[i].textContent = name;
    document.getElementById("old").removeAttribute("hidden");
    document.getElementById("opening").setAttribute("hidden", "");
  });
})();
