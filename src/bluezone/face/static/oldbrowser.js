// SPDX-License-Identifier: Apache-2.0
// Written so that any browser can read it: it says so where the app itself cannot be read (lowest: Chrome 90).
(function () {
  var missing = !("noModule" in document.createElement("script")) || !window.Promise || !Promise.any ||
    !window.WeakRef || !Element.prototype.replaceChildren || !String.prototype.replaceAll || !window.indexedDB;
  window.bluezoneTooOld = missing;
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
