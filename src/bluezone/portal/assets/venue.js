// SPDX-License-Identifier: Apache-2.0
// A venue's code is behind the `#` of its link, so no server ever sees it; hand it to the web edition on this phone.
const code = location.hash.slice(1);
if (/^[A-Za-z0-9_-]{100,600}$/.test(code)) location.replace(`/app/#/check-in/${code}`);
else document.getElementById("no-code").hidden = false;
