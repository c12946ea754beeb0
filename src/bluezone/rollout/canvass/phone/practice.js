// SPDX-License-Identifier: Apache-2.0
/** A made-up list to practise on: same screens, nothing is sent, gone after seven days. */

const NAMES = ["Nông Thị Lan", "Hoàng Văn Bình", "Hà Thị Thu", "Lý Văn Páo", "Triệu Thị Mùi", "Đặng Văn Sơn", "Ma Thị Hồng", "Bế Văn Đàn"];

/** Fill a practice store. */
export async function plantPractice(box, language) {
  const now = Date.now() / 1000;
  const doors = NAMES.map((head, place) => ({
    door: `00000000-0000-7000-8000-${String(place + 1).padStart(12, "0")}`, place: place + 1, head,
    address: language === "en" ? `No. ${place * 2 + 1}, group 5` : `Số ${place * 2 + 1}, tổ 5`, group: language === "en" ? "Group 5" : "Tổ 5",
    smartphones: place % 3 ? place % 4 : null, note: "", versions: {}, disputed: [], last: null, revisit: "", reached: false,
  }));
  const list = { lease: 0, turf: 0, name: language === "en" ? "Practice list" : "Danh sách tập huấn", unit: "", until: Math.floor(now) + 7 * 86400, doors };
  await box.connect({ token: null, device: 0, name: list.name, agency: "", practice: now, language });
  await box.store.write({ told: { as_of: "", lists: [list], ended: [], at: now } });
}
