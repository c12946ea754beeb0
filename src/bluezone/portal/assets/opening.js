// SPDX-License-Identifier: Apache-2.0
// A place's code and a reporting link carry their secret behind the `#`, which browsers send to no server: hand it to
// the web edition on this phone. What does not look like one opens nothing.
const SHAPES = { v: /^[A-Za-z0-9_-]{100,600}$/, r: /^[A-Za-z0-9_-]{22}$/ };
const { screen } = document.querySelector("[data-screen]").dataset;
const code = location.hash.slice(1);
if (SHAPES[screen].test(code)) location.replace(`/app/#/${screen}/${code}`);
else document.getElementById("no-code").hidden = false;
