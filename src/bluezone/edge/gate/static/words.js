// SPDX-License-Identifier: Apache-2.0
/** The words of the gate page: Vietnamese first, English beside it. Source: docs/texts.md section 4. */

const VI = {
  "verdict.running": "ĐANG CHẠY", "verdict.running.line": "Máy vừa trả lời cổng qua Bluetooth. Mời vào.",
  "verdict.valid_code": "MÃ HỢP LỆ", "verdict.valid_code.line": "Mã vừa tạo, chưa kiểm tra được Bluetooth. Mời vào.",
  "verdict.screen_seen": "ĐÃ XEM MÀN HÌNH", "verdict.screen_seen.line": "Người trực thấy ứng dụng trên máy. Mời vào.",
  "verdict.asked_before": "ĐÃ HỎI TRONG BUỔI", "verdict.asked_before.line": "Người trực đã hỏi trong buổi này. Mời vào.",
  "verdict.installed_off": "CÀI RỒI, CHƯA BẬT", "verdict.installed_off.line": "Nhờ anh/chị bật Bluetooth rồi quét lại, hoặc bấm “Đã nhắc bật”.",
  "verdict.helped": "CHƯA CÀI, ĐÃ HỖ TRỢ", "verdict.helped.line": "Đã hướng dẫn cài. Mời vào.",
  "verdict.told": "CHƯA CÀI, ĐÃ NHẮC", "verdict.told.line": "Đã báo cho biết, người này chưa cài. Việc cho vào theo nội quy cơ quan.",
  "verdict.no_smartphone": "KHÔNG CÓ ĐIỆN THOẠI THÔNG MINH", "verdict.no_smartphone.line": "Không phải cài. Mời vào.",
  "verdict.out": "RA", "verdict.out.line": "Đã ghi một lượt ra.",
  "verdict.listening": "ĐANG NGHE MÁY", "verdict.listening.line": "Giữ mã trên màn hình, chờ vài giây.",
  "verdict.not_heard": "MÃ ĐÃ HẾT HẠN", "verdict.not_heard.line": "Máy không trả lời cổng qua Bluetooth (ảnh chụp?). Mời mở lại ứng dụng, bật Bluetooth.",
  "verdict.pass_expired": "MÃ ĐÃ HẾT HẠN", "verdict.pass_expired.line": "Mã cũ hoặc của cổng khác (ảnh chụp?). Mời quét mã trên màn hình này rồi đưa lại.",
  "verdict.pass_used": "MÃ ĐÃ DÙNG", "verdict.pass_used.line": "Mã này vừa dùng rồi. Mời mở lại ứng dụng.",
  "verdict.not_a_bluezone_code": "KHÔNG PHẢI MÃ BLUEZONE", "verdict.not_a_bluezone_code.line": "Mời mở ứng dụng Bluezone, chọn “Mã qua cổng”.",
  "verdict.idle": "Mời đưa mã vào khung", "verdict.idle.line": "Mở Bluezone, chọn “Mã qua cổng”.",
  "verdict.not_counted": "CHƯA GHI ĐƯỢC", "verdict.not_counted.line": "Lượt này chưa được tính. Hãy ghi ra giấy.",
  "verdict.not_checked": "XEM MÀN HÌNH", "verdict.not_checked.line": "Cổng đang không nghe được Bluetooth nên không biết mã này mới hay là ảnh chụp. Hãy nhìn màn hình máy, thấy Bluezone đang mở thì bấm “Đã xem màn hình”.",
  "verdict.shared": "ĐÃ GỘP SỐ", "verdict.shared.line": "Đã cộng số của máy kia vào máy này.",
  "verdict.share_foreign": "KHÔNG PHẢI MÁY CỦA CỔNG NÀY", "verdict.share_foreign.line": "Số không đổi. Cả hai máy cần kết nối cùng một cổng.",
  "verdict.share_old": "SỐ CỦA NGÀY KHÁC", "verdict.share_old.line": "Số không đổi. Xem lại ngày giờ của hai máy.",
  "verdict.box_joined": "ĐÃ NỐI HỘP BLUETOOTH", "verdict.box_joined.line": "Từ nay hộp này nghe các máy qua Bluetooth cho cổng.",
  "verdict.box_foreign": "KHÔNG PHẢI HỘP CỦA CỔNG NÀY", "verdict.box_foreign.line": "Chưa nối. Hãy in lại mã của hộp ở trang của cổng trong văn phòng.",
  "verdict.undone": "ĐÃ HOÀN TÁC", "verdict.undone.line": "Lượt vừa rồi không được tính.",
  "button.out": "RA", "button.undo": "Hoàn tác ({seconds} giây)", "button.seen": "Đã xem màn hình", "button.nophone": "Không có điện thoại thông minh",
  "button.off": "Cài rồi, chưa bật", "button.reminded": "Đã nhắc bật", "button.told": "Chưa cài, đã nhắc", "button.help": "Giúp cài đặt", "button.asked": "Đã hỏi trong buổi",
  "button.more": "Khác", "button.close": "Đóng", "button.language": "English", "button.language.code": "en",
  "gate.unnamed": "Cổng chưa có tên", "inside": "người đang ở trong", "duty.none": "Chưa có ai nhận ca", "duty": "Ca của {name} từ {time}",
  "net.ok": "đã gửi đủ", "net.waiting": "{count} lượt chờ gửi", "net.offline": "mất mạng, vẫn ghi được · {count} lượt chờ gửi", "net.refused": "văn phòng chưa nhận ({code}) · {count} lượt chờ gửi",
  "problem.radio": "Cổng không phát Bluetooth nên chưa xác thực được máy đang chạy. Vẫn xem được mã trình duyệt và màn hình.",
  "problem.noradio": "Cổng này không có Bluetooth: chỉ xem được mã trình duyệt và màn hình.",
  "problem.boxaway": "Không hỏi được hộp Bluetooth: xem hộp đã bật và máy này cùng mạng Wi-Fi với hộp chưa.",
  "problem.boxprompt": "Hãy bấm Cho phép khi trình duyệt hỏi về thiết bị trong mạng. Không thấy hỏi: xem hộp đã bật, cùng mạng Wi-Fi chưa.",
  "problem.boxdenied": "Trình duyệt đang chặn hộp Bluetooth. Chạm biểu tượng cạnh địa chỉ trang, Quyền, Mạng cục bộ: Cho phép, rồi tải lại trang.",
  "problem.boxbrowser": "Trình duyệt này không hỏi được hộp Bluetooth. Hãy mở trang bằng Chrome bản 142 trở lên.",
  "problem.box_foreign": "Mã hộp vừa quét không phải của cổng này.",
  "problem.clock": "Giờ của máy này sai. Cổng đang dùng giờ của văn phòng; hãy bật giờ tự động.",
  "problem.undated": "{count} lượt không rõ ngày vì giờ của máy này đã sai một lúc. Văn phòng vẫn giữ và ghi riêng các lượt đó.",
  "problem.device_token_invalid": "Văn phòng đã ngắt máy này. Số đã đếm vẫn giữ; xin mã kết nối mới.",
  "problem.program": "Chương trình cổng không trả lời. Hãy ghi ra giấy và báo người quản trị; số đã đếm vẫn giữ.",
  "problem.closed": "Cổng này đã đóng ở văn phòng. Số đã đếm vẫn được nhận.",
  "problem.gate_book_unusable": "Máy hết chỗ hoặc sổ bị khóa, lượt này chưa ghi được. Ghi tạm ra giấy, xóa bớt tệp rồi bấm lại.",
  "problem.lost": "Có lượt chưa rõ ngày giờ vì máy mất điện khi chưa có mạng. Vào “Khác” để ghi giờ.",
  "lost.title": "Lượt chưa rõ ngày giờ", "lost.lead": "Máy không có pin đồng hồ: khi mất điện mà chưa có mạng, máy không biết mấy giờ. Ai nhớ thì ghi; chưa ghi thì các lượt này chưa được gửi.",
  "lost.facts": "{in} lượt vào, {out} lượt ra, trong {minutes} phút.", "lost.began": "Bắt đầu đếm lúc", "lost.say": "Ghi giờ này", "lost.hour_invalid": "Giờ này chưa đúng: các lượt phải xong trước bây giờ.",
  "problem.share_foreign": "Mã gộp số vừa quét không phải của cổng này.", "problem.share_old": "Mã gộp số vừa quét là của ngày khác.",
  "problem.share_too_early": "Máy chưa nối được văn phòng lần nào nên chưa gộp số được.",
  "more.box": "Cổng có hộp Bluetooth? Quét mã của hộp (in ở trang của cổng trong văn phòng) để xác thực máy đang chạy.",
  "more.boxcode": "Mã nối hộp này", "box.how": "Máy tính bảng của cổng quét mã này một lần là nối được, nếu cùng mạng Wi-Fi với hộp.", "more.leavebox": "Thôi dùng hộp Bluetooth {host}",
  "more.share": "Gộp số với máy bên cạnh", "share.how": "Đưa mã này trước máy ảnh của máy kia, rồi làm ngược lại. Không cần mạng; gộp mấy lần cũng được.",
  "share.known": "Số máy khác của cổng đã có số ở đây hôm nay: {count}.",
  "connect.title": "Kết nối máy này", "connect.lead": "Xin mã 12 số ở văn phòng của cơ quan. Sau khi kết nối, cổng dùng được khi mất mạng.",
  "connect.code": "Mã kết nối 12 số", "connect.button": "Kết nối", "connect.busy": "Đang kết nối…", "connect.back": "Quay lại", "connect.failed": "Chưa mở được",
  "connect.offline": "Mất mạng. Cần mạng một lần để kết nối.", "connect.code_malformed": "Mã gõ chưa đúng. Xem lại 12 số.",
  "connect.enrolment_code_invalid": "Mã đã dùng hoặc quá hạn. Xin mã mới.", "connect.device_kind_refused": "Mã này không phải của máy tại cổng. Xin mã khác.",
  "connect.storage_full": "Máy hết chỗ. Xóa bớt tệp rồi thử lại.", "connect.storage_unavailable": "Trình duyệt không cho lưu (cửa sổ ẩn danh?). Mở trang này trong cửa sổ thường.",
  "connect.other": "Có lỗi ({code}). Thử lại sau.",
  "camera.off": "Chưa dùng được máy ảnh. Cho phép máy ảnh, hoặc dùng máy quét cầm tay.", "camera.start": "Bật máy ảnh", "camera.label": "Khung quét mã",
  "qr.gate": "Dùng bản web: quét mã này trước", "qr.gate.alt": "Mã QR của cổng, đổi mỗi 30 giây",
  "duty.title": "Nhận ca, kết thúc ca", "duty.badge": "Thẻ trực (quét hoặc gõ số)", "duty.pin": "Mã PIN 6 số", "duty.in": "Nhận ca", "duty.out": "Kết thúc ca và in phiếu",
  "duty.badge_unknown": "Thẻ này không thuộc cổng này hôm nay. Xin cơ quan cấp thẻ mới; việc đếm vẫn tiếp tục.",
  "duty.pin_wrong": "Mã PIN chưa đúng. Xem lại 6 số trên thẻ.", "duty.pin_locked": "Sai 5 lần. Thử lại sau {seconds} giây; việc đếm vẫn tiếp tục.",
  "help.title": "Giúp cài đặt", "help.1": "Quét mã này bằng máy ảnh điện thoại, hoặc gõ {host}.", "help.2": "Mở từ Zalo: chọn “Mở bằng trình duyệt”.",
  "help.3": "Bấm “Cài đặt”, làm theo màn hình, bật Bluetooth và cho phép thông báo.", "help.done": "Đã hướng dẫn, mời vào",
  "help.nohost": "Chưa có địa chỉ của thành phố: cổng chưa nối được văn phòng lần nào.",
  "help.later": "Chưa cài được ngay? Ghi số điện thoại để đội thanh niên gọi lại", "help.phone": "Số điện thoại", "help.send": "Lấy phiếu hẹn",
  "help.ticket": "Phiếu hẹn {ticket}. Đội hỗ trợ sẽ gọi; cổng không giữ số điện thoại.", "help.offline": "Mất mạng, chưa lấy được phiếu. Số điện thoại chưa được ghi lại.",
  "help.refused": "Văn phòng chưa nhận số này. Xem lại số điện thoại.",
  "more.title": "Cách khác và cài đặt", "more.kiosk": "Chế độ khách tự đưa mã", "more.attendant": "Chế độ người trực", "more.camera": "Đổi máy ảnh trước, sau", "more.send": "Gửi số liệu ngay", "more.scanner": "Máy quét cầm tay: để bàn phím tiếng Anh.",
  "kiosk.call": "Cần người trực giúp? Mời gọi.",
  "training.banner": "TẬP HUẤN: không gửi số đi, tự xóa sau 7 ngày. Không dùng tại cổng thật.", "net.training": "tập huấn, không gửi",
  "practice.begin": "Tập trước với mã mẫu", "practice.end": "Thôi tập, về cổng thật",
  "training.title": "Mã để tập", "training.running": "Máy đang chạy", "training.browser": "Mã của bản web", "training.screenshot": "Ảnh chụp mã", "training.off": "Chưa bật Bluetooth", "training.foreign": "Mã lạ",
  "training.badge": "Thẻ trực để tập: {badge}, mã PIN {pin}",
  "slip.title": "PHIẾU GHI NHẬN RA VÀO", "slip.gate": "Cổng", "slip.shift": "Ca", "slip.in": "Lượt vào", "slip.out": "Lượt ra", "slip.running": "Đang chạy (đã xác thực)", "slip.valid_code": "Mã hợp lệ",
  "slip.screen_seen": "Xem màn hình", "slip.asked_before": "Đã hỏi trong buổi", "slip.installed_off": "Cài rồi, chưa bật", "slip.helped": "Đã hỗ trợ", "slip.told": "Đã nhắc", "slip.no_smartphone": "Không có điện thoại thông minh",
  "slip.keeper": "Người trực (ký, ghi rõ họ tên)", "slip.agency": "Xác nhận của cơ quan", "slip.note": "Phiếu chỉ ghi số lượt, không ghi tên người ra vào. Các loại xác thực không cộng với nhau.", "slip.print": "In phiếu", "slip.since": "từ {start} đến {end}, ngày {day}",
};

const EN = {
  "verdict.running": "RUNNING", "verdict.running.line": "The phone has just answered over Bluetooth. Please come in.",
  "verdict.valid_code": "VALID CODE", "verdict.valid_code.line": "New code; Bluetooth not checked. Please come in.",
  "verdict.screen_seen": "SCREEN SEEN", "verdict.screen_seen.line": "The attendant saw the app. Please come in.",
  "verdict.asked_before": "ASKED BEFORE", "verdict.asked_before.line": "The attendant asked earlier this half-day. Please come in.",
  "verdict.installed_off": "INSTALLED, NOT ON", "verdict.installed_off.line": "Please turn on Bluetooth and scan again, or press “Reminded”.",
  "verdict.helped": "NOT INSTALLED, HELPED", "verdict.helped.line": "Shown how to install the app. Please come in.",
  "verdict.told": "NOT INSTALLED, TOLD", "verdict.told.line": "Informed, but has not installed the app. The agency’s own rules decide on entry.",
  "verdict.no_smartphone": "NO SMARTPHONE", "verdict.no_smartphone.line": "Nothing to install. Please come in.",
  "verdict.out": "OUT", "verdict.out.line": "One exit has been counted.",
  "verdict.listening": "LISTENING", "verdict.listening.line": "Keep the code on the screen for a few seconds.",
  "verdict.not_heard": "EXPIRED", "verdict.not_heard.line": "The phone did not answer over Bluetooth (a screenshot?). Please open the app again with Bluetooth on.",
  "verdict.pass_expired": "EXPIRED", "verdict.pass_expired.line": "An old code, or a code for another gate (a screenshot?). Please scan the code on this screen and show yours again.",
  "verdict.pass_used": "ALREADY USED", "verdict.pass_used.line": "This code was used just now. Please open the app again.",
  "verdict.not_a_bluezone_code": "NOT A BLUEZONE CODE", "verdict.not_a_bluezone_code.line": "Please open Bluezone and choose “Gate code”.",
  "verdict.idle": "Hold your code inside the frame", "verdict.idle.line": "Open Bluezone, choose “Gate code”.",
  "verdict.not_counted": "NOT COUNTED", "verdict.not_counted.line": "This passage was not counted. Please write it down on paper.",
  "verdict.not_checked": "LOOK AT THE SCREEN", "verdict.not_checked.line": "This gate cannot hear Bluetooth at the moment, so it cannot tell whether this code is new or a screenshot. Look at the phone. If Bluezone is open, press “Screen seen”.",
  "verdict.shared": "NUMBERS ADDED", "verdict.shared.line": "The other tablet’s numbers have been added to this one.",
  "verdict.share_foreign": "NOT A TABLET OF THIS GATE", "verdict.share_foreign.line": "No numbers have changed. Both tablets must be connected to the same gate.",
  "verdict.share_old": "ANOTHER DAY’S NUMBERS", "verdict.share_old.line": "No numbers have changed. Check the date and time on both tablets.",
  "verdict.box_joined": "BLUETOOTH BOX CONNECTED", "verdict.box_joined.line": "From now on, this box hears phones over Bluetooth for the gate.",
  "verdict.box_foreign": "NOT A BOX OF THIS GATE", "verdict.box_foreign.line": "Not connected. Print the box’s code again from the gate’s page in the office.",
  "verdict.undone": "UNDONE", "verdict.undone.line": "The last passage was not counted.",
  "button.out": "OUT", "button.undo": "Undo ({seconds} s)", "button.seen": "Screen seen", "button.nophone": "No smartphone",
  "button.off": "Installed, not on", "button.reminded": "Reminded", "button.told": "Not installed, told", "button.help": "Help to install", "button.asked": "Asked before",
  "button.more": "More", "button.close": "Close", "button.language": "Tiếng Việt", "button.language.code": "vi",
  "gate.unnamed": "Gate without a name", "inside": "people inside", "duty.none": "No one is on duty", "duty": "{name} on duty since {time}",
  "net.ok": "everything sent", "net.waiting": "passages to send: {count}", "net.offline": "no network, still counting · passages to send: {count}", "net.refused": "not accepted by the office yet ({code}) · passages to send: {count}",
  "problem.radio": "The gate’s Bluetooth is not sending, so it cannot check whether Bluezone is running on a phone. You can still check browser codes and screens.",
  "problem.noradio": "This gate has no Bluetooth, so you can only check browser codes and screens.",
  "problem.boxaway": "The Bluetooth box does not answer. Check that it is on and that this device is on the same Wi-Fi.",
  "problem.boxprompt": "Tap Allow when the browser asks about devices on the network. If it does not ask, check that the box is on and on the same Wi-Fi.",
  "problem.boxdenied": "The browser blocks the Bluetooth box. Tap the symbol next to the page’s address, then Permissions, set Local network to Allow, and reload the page.",
  "problem.boxbrowser": "This browser cannot connect to the Bluetooth box. Open the page in Chrome 142 or newer.",
  "problem.box_foreign": "The box code you just scanned does not belong to this gate.",
  "problem.clock": "This device’s clock is wrong. The gate uses the office’s time. Please turn on automatic time.",
  "problem.undated": "Passages with an unknown day, because this device’s clock was wrong for a while: {count}. The office keeps them and shows them separately.",
  "problem.device_token_invalid": "The office has disconnected this device. All counts are kept. Ask for a new connection code.",
  "problem.program": "The gate program does not answer. Count on paper and tell the administrator. All counts are kept.",
  "problem.closed": "The office has closed this gate. Existing counts are still accepted.",
  "problem.gate_book_unusable": "There is no space left, or the book is locked, so this passage was not counted. Write it down on paper, free some space and press again.",
  "problem.lost": "Some passages have no date because this device lost power while it had no network. See “More”.",
  "lost.title": "Passages without a date", "lost.lead": "This device has no clock battery, so after a power cut without a network it does not know the time. If you remember the time, enter it. Until then, these passages are not sent.",
  "lost.facts": "{in} in, {out} out, within {minutes} minutes.", "lost.began": "Counting started at", "lost.say": "Save this time", "lost.hour_invalid": "This time is not possible: the passages must have ended by now.",
  "problem.share_foreign": "The code you just scanned does not belong to a tablet of this gate.", "problem.share_old": "The code you just scanned is from another day.",
  "problem.share_too_early": "This device has never connected to the office, so it cannot share numbers yet.",
  "more.box": "Does the gate have a Bluetooth box? Scan its code (printed from the gate’s page in the office) to check that Bluezone is running on phones.",
  "more.boxcode": "Code for this box", "box.how": "A tablet of this gate only needs to scan this code once to connect, if it is on the same Wi-Fi as the box.", "more.leavebox": "Stop using the Bluetooth box {host}",
  "more.share": "Share numbers with another tablet", "share.how": "Hold this code in front of the other tablet’s camera, then do the same the other way round. You do not need a network, and you can repeat this at any time.",
  "share.known": "Other tablets of this gate that have shared today’s numbers here: {count}.",
  "connect.title": "Connect this device", "connect.lead": "Ask your agency’s office for a 12-digit code. Once connected, the gate works without a network.",
  "connect.code": "Connection code, 12 digits", "connect.button": "Connect", "connect.busy": "Connecting…", "connect.back": "Back", "connect.failed": "Not opened",
  "connect.offline": "No network. You need a network once, to connect.", "connect.code_malformed": "The code is mistyped. Check the 12 digits.",
  "connect.enrolment_code_invalid": "The code has been used or has expired. Ask for a new one.", "connect.device_kind_refused": "This code is not for a tablet at a gate. Ask for another.",
  "connect.storage_full": "No space left. Free some space and try again.", "connect.storage_unavailable": "The browser does not allow storage (a private window?). Open this page in a normal window.",
  "connect.other": "Something went wrong ({code}). Try again later.",
  "camera.off": "No camera yet. Allow the camera, or use a hand-held scanner.", "camera.start": "Turn on the camera", "camera.label": "Frame for codes",
  "qr.gate": "Web version: scan this code first", "qr.gate.alt": "QR code of this gate; it changes every 30 seconds",
  "duty.title": "Start or end a shift", "duty.badge": "Badge (scan it or type its number)", "duty.pin": "PIN, 6 digits", "duty.in": "Start shift", "duty.out": "End shift and print slip",
  "duty.badge_unknown": "This badge is not valid at this gate today. Ask the agency for a new one. Counting continues.",
  "duty.pin_wrong": "That PIN is not right. Check the 6 digits on the badge.", "duty.pin_locked": "Five wrong tries. Try again in {seconds} s. Counting continues.",
  "help.title": "Help to install", "help.1": "Scan this code with the phone’s camera, or type {host}.", "help.2": "From Zalo: choose “Open in browser”.",
  "help.3": "Tap “Install”, follow the screen, turn on Bluetooth and allow notices.", "help.done": "Shown how; please come in",
  "help.nohost": "There is no city address yet: this gate has never connected to the office.",
  "help.later": "Cannot install now? Leave a telephone number and a youth team will call", "help.phone": "Telephone", "help.send": "Get a ticket",
  "help.ticket": "Ticket {ticket}. The team will call; the gate does not keep the number.", "help.offline": "No network, so there is no ticket. The number was not saved.",
  "help.refused": "The office did not accept this number. Please check it.",
  "more.title": "Other ways and settings", "more.kiosk": "Visitors show their own code", "more.attendant": "Attendant mode", "more.camera": "Switch camera, front or back", "more.send": "Send figures now", "more.scanner": "Hand-held scanner: set the keyboard to English.",
  "kiosk.call": "Need help? Please call the attendant.",
  "training.banner": "TRAINING: nothing is sent, and everything is erased after 7 days. Not for use at a real gate.", "net.training": "training, nothing is sent",
  "practice.begin": "Practise with sample codes first", "practice.end": "End practice and return to the real gate",
  "training.title": "Codes to practise with", "training.running": "Phone running Bluezone", "training.browser": "Web version code", "training.screenshot": "Screenshot of a code", "training.off": "Bluetooth off", "training.foreign": "Unknown code",
  "training.badge": "Badge to practise with: {badge}, PIN {pin}",
  "slip.title": "RECORD OF ENTRIES AND EXITS", "slip.gate": "Gate", "slip.shift": "Shift", "slip.in": "In", "slip.out": "Out", "slip.running": "Running (proven)", "slip.valid_code": "Valid code",
  "slip.screen_seen": "Screen seen", "slip.asked_before": "Asked before", "slip.installed_off": "Installed, not on", "slip.helped": "Helped", "slip.told": "Told", "slip.no_smartphone": "No smartphone",
  "slip.keeper": "Attendant (signature and full name)", "slip.agency": "For the agency", "slip.note": "This slip counts passages only and has no names. Different kinds of proof are not added together.", "slip.print": "Print", "slip.since": "from {start} to {end}, {day}",
};

const CATALOGUES = { vi: VI, en: EN };

/** The texts of one language. */
export class Words {
  constructor(language) {
    this.language = language === "en" ? "en" : "vi";
    this.locale = this.language === "en" ? "en-GB" : "vi-VN";
  }

  has(key) {
    return Object.hasOwnProperty.call(CATALOGUES[this.language], key);
  }

  t(key, values = {}) {
    const text = CATALOGUES[this.language][key];
    if (text === undefined) throw new Error(`no words for ${key}`);
    return text.replace(/\{([a-z]+)\}/g, (place, name) => (values[name] === undefined ? place : String(values[name])));
  }

  number(value) {
    return new Intl.NumberFormat(this.locale).format(value);
  }

  /** 07:42 in the city's zone. */
  clock(unix, zone) {
    return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(unix * 1000));
  }

  day(unix, zone) {
    return new Intl.DateTimeFormat(this.locale, { day: "numeric", month: "numeric", year: "numeric", timeZone: zone }).format(new Date(unix * 1000));
  }
}

export { EN, VI };
