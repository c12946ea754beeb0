// SPDX-License-Identifier: Apache-2.0
// The page of a box without a screen that belongs to nobody yet: whoever scans the office's code beside it lands here.
const WORDS = {
  vi: {
    title: "Kết nối hộp Bluezone này",
    how:
      "Trên máy tính cơ quan: Thiết bị, chọn hộp này, “Tạo mã mới”, “Hộp không có màn hình”. "
      + "Dùng điện thoại cùng mạng Wi-Fi quét mã QR ở đó, hoặc chép đường dẫn vào đây.",
    label: "Đường dẫn hoặc nội dung tệp của hộp",
    send: "Kết nối",
    taken: (name, agency) =>
      `Hộp đã nhận phiếu: ${name}, ${agency}. Trong một phút nữa, trang Thiết bị của cơ quan cho thấy hộp đã kết nối.`,
    box_ticket_invalid: "Đây không phải phiếu kết nối hộp. Hãy quét mã ở mục “Hộp không có màn hình”.",
    box_ticket_expired: "Phiếu này đã quá một ngày. Hãy tạo mã mới trên trang của thiết bị.",
    lost: "Hộp không trả lời. Hãy xem điện thoại có cùng mạng với hộp không, rồi thử lại.",
    other: "English",
  },
  en: {
    title: "Connect this Bluezone box",
    how:
      "On the office’s computer, go to Devices, choose this box, “Make a new code”, “A box without a screen”. "
      + "Scan the QR code there with a phone on the same Wi-Fi, or copy the link into this field.",
    label: "Link, or content of the box’s file",
    send: "Connect",
    taken: (name, agency) =>
      `The box has its ticket: ${name}, ${agency}. Within a minute, the office’s Devices page shows it as connected.`,
    box_ticket_invalid: "This is not a ticket for a box. Scan the code under “A box without a screen”.",
    box_ticket_expired: "This ticket is older than a day. Make a new code on the page of the device.",
    lost: "The box does not answer. Check that the phone is on the box’s network, and try again.",
    other: "Tiếng Việt",
  },
};
const form = document.querySelector("form");
const field = document.getElementById("ticket");
const told = document.querySelector(".told");
const other = document.querySelector("[data-other]");
let language = navigator.languages.some((one) => one.startsWith("vi")) || !navigator.language.startsWith("en") ? "vi" : "en";

function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = WORDS[chosen][place.dataset.say];
  other.textContent = WORDS[chosen].other;
  other.lang = chosen === "vi" ? "en" : "vi";
}

function tell(text, wrong) {
  told.textContent = text;
  told.className = wrong ? "told wrong" : "told";
  told.hidden = false;
}

async function send(ticket) {
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/ticket", { method: "POST", headers, body: JSON.stringify({ ticket }) });
    const said = await answer.json();
    if (!answer.ok) {
      tell(WORDS[language][said.code] || WORDS[language].box_ticket_invalid, true);
      return;
    }
    form.hidden = true;
    tell(WORDS[language].taken(said.name, said.agency), false);
  } catch {
    tell(WORDS[language].lost, true);
  }
}

speak(language);
other.addEventListener("click", (event) => {
  event.preventDefault();
  speak(language === "vi" ? "en" : "vi");
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(field.value);
});
if (location.hash.length > 1) {
  const ticket = location.hash.slice(1);
  // The code stays in no history of the phone.
  history.replaceState(null, "", "/");
  field.value = ticket;
  send(ticket);
}
