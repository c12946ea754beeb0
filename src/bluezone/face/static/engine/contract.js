// SPDX-License-Identifier: Apache-2.0
/**
 * The engine contract in full, for those who write screens and engines; no browser loads this file.
 *
 * An engine has `kind`, `canTrace` (false in the web edition) and the methods listed in interface.js:
 *
 * state() -> State · start({language}): consent of the first run; nothing is fetched or sent before it
 * check(): fetch and match now
 * readVenue(text) -> Venue; refusals venue_code_unknown, venue_expired, venue_not_yet, venue_revoked, venue_foreign
 * checkIn(text, {remember}) -> Visit · checkOut(id) -> Visit · visits() -> Visit[] · forgetVisit(id)
 * diary() -> {day, visits: Visit[], identifiersHeard: number|null}[]
 * inbox() -> {id, kind: "news"|"notice", title, body, at, read, url|null}[] · markRead(id): a warning's id too
 * prepareReport(codeOrLink) -> ReportDraft: the code is not used by it
 * previewReport({days: utcDay[], visits: id[]}) -> {items: {kind: "key"|"slot", day, hex}[], bytes}: exactly what is sent
 * sendReport({days, visits, consent: true}) -> ReportState · reportState() -> ReportState
 * sentLog() -> {own: {at, what, bytes, outcome}[], chaff: number}
 * askForHelp({channel, contact, place, note}) -> {ticket} · declare({warningId, phone, text}) -> {sent}
 * journal() -> Entry[] · writeJournal({day, kind, text, marks}) -> Entry · removeJournal(id): the owner's own lines,
 *   kept here for 30 days and sent to nobody; refusals journal_invalid, journal_full
 * events() -> OwnEvent[] · makeEvent({name, begin, minutes}) -> OwnEvent · forgetEvent(id): codes for events of the
 *   owner's own, gone two weeks after the event; refusals event_invalid, events_full, venue_config_missing
 * showPass({screen}) -> {kind: "A"|"B", text, seconds}: screen is what a browser read from the gate; a phone needs none;
 *   refusals pass_too_soon, gate_screen_unknown, no_tokens · passState() -> {answered: boolean|null} · hidePass()
 * beginAnew() -> State: follow the city's lists anew; its owner has compared the key
 * chooseNeighbour({id, choice: "follow"|"leave"|"forget"}) -> State: another city's lists; refusal neighbour_unknown
 * setLanguage("vi"|"en"|"zh") · language() · erase() · subscribe(callback) -> unsubscribe(): called when state changed
 * notifications() -> {supported, state: "off"|"waiting"|"on"|"denied"} · allowNotifications()
 * Web only: applyUpdate(), turnOffNotifications(), close().
 */

/**
 * @typedef {object} City
 * @property {string|null} key           whose lists are believed, 64 hex digits
 * @property {string|null} name          in the language chosen; null before the first config
 * @property {string|null} hotline       of the health authority
 * @property {string|null} nationalHotline
 * @property {string|null} publicOrigin  what the links of the city begin with: https://host, http:// where that is served
 * @property {string} zone               IANA name
 * @property {number|null} configAt      when the config in force was signed
 * @property {{name:string, operator:string, at:number|null}[]} watchers   who watches the city's log; at: last signature seen here
 * @property {[string, string]|null} evidence   two signed checkpoints of its log that contradict each other
 * @property {Neighbour[]} neighbours    cities whose lists a phone may follow besides; none in the web edition
 * @property {boolean} takesDeclarations whether the health authority can receive a declaration
 * @property {{watchDays:number, homeDays:number, isolationDays:number, testFromDay:number, testPlaces:string[]}} care
 *   for how long who is asked for what, by the signed rules
 * @property {object|null} texts         the health authority's words by name (step_1 …), placeholders not filled in;
 *   null where it has none in the language chosen
 *
 * @typedef {object} Warning
 * @property {string} id
 * @property {"near"|"venue"} kind
 * @property {string} day
 * @property {"<10"|"10-15"|"15-30"|">30"} minutesBand
 * @property {[number, number]|null} nearMinutes minutes likely near, from and to; null where no distance was judged
 * @property {"low"|"high"} level
 * @property {"sure"|"likely"|"unlikely"|"unclear"} certainty
 * @property {string|null} label         the venue's name, unless the owner did not want it in the diary
 * @property {string} watchUntil         last day to watch one's health, by the signed rules
 * @property {boolean} read
 * @property {string[]} neighbours       names of other cities in whose lists cases of that day stand
 *
 * @typedef {object} Neighbour
 * @property {string} id
 * @property {string} name
 * @property {string} address            who is asked for its lists
 * @property {string|null} key           whose lists are believed, 64 hex digits; null for another maker's server
 * @property {boolean} everybody         every phone of the own city follows it
 * @property {boolean} followed
 * @property {number|null} until         until when, of one that the owner has left
 * @property {number|null} checkedAt     when its lists were last looked for with success
 * @property {string|null} problem       code of a refusal since then
 *
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} day                what it is about
 * @property {"called"|"tested"|"negative"|"positive"|"ended"|"symptoms"|"note"} kind
 * @property {string} text
 * @property {string[]} marks            of symptoms their names; of a call or a test the warnings it is about (journey.js, nameOf)
 * @property {number} at                 when it was written
 *
 * @typedef {object} Visit
 * @property {string} id
 * @property {string|null} label         null if the owner did not want the name in the diary
 * @property {string} fingerprint        six characters, the same as on the poster
 * @property {number} inAt
 * @property {number|null} outAt         null while the visit lasts
 * @property {number} plannedOutAt       automatic check-out
 * @property {boolean} canSend           whether it can be part of a report
 * @property {boolean} event             an event's code, whose host can recognise a report of this visit
 *
 * @typedef {object} OwnEvent
 * @property {string} id
 * @property {string} name
 * @property {string} fingerprint        six characters, as guests see them
 * @property {number} begin
 * @property {number} end
 * @property {string} link               the text of its QR code
 *
 * @typedef {object} Venue
 * @property {string} name
 * @property {string} address
 * @property {number} type               CWA's numbers 0..12
 * @property {number} stayMinutes
 * @property {string} fingerprint
 * @property {number|null} validFrom
 * @property {number|null} validTo
 * @property {boolean} temporary
 * @property {boolean} event             anybody made it, and the city signed nothing of it
 *
 * @typedef {object} State
 * @property {boolean} started           consent of the first run was given
 * @property {number} now                the best time there is
 * @property {"A"|"B1"|"B2"|"B3"|"C"|"D"} state   A nothing found, B1 Bluetooth off, B2 not checked, B3 wrong clock, C low, D high
 * @property {null|{running:boolean, runningSince:number|null, offSince:number|null, lastHeard:number|null, problem:string|null}} bluetooth
 *   null in a browser; problem: code of what keeps Bluetooth from sending or hearing now
 * @property {number|null} installedAt
 * @property {number|null} checkedAt     when the last check that ended well began
 * @property {number|null} nextCheckAt
 * @property {boolean} stale             the newest list is over 36 hours old
 * @property {number} clockOffBySeconds  how far this device's clock is ahead of the city's
 * @property {City} city
 * @property {Warning[]} warnings        latest day first
 * @property {null|{day:string, watchUntil:string}} lastWarning  the latest one there was, also after it has gone
 * @property {string[]} checkedDays      local days on which a check ended well, oldest first
 * @property {boolean} hasEvidence       whether anything is kept here that a list could be compared with
 * @property {boolean} compared          whether a check ended well after some of it was there: a stay over, a phone heard
 * @property {number|null} agreedAt      when the owner last agreed to report, whatever became of it since
 * @property {number|null} reportedAt    when the owner's last report was sent
 * @property {Entry[]} acts              the journal without notes and symptoms
 * @property {number} openVisits
 * @property {number} unread
 * @property {null|{state:"waiting"|"begun", sendAt:number|null, reachAt:number|null}} pendingReport
 * @property {string|null} checkProblem  code of the last check's refusal, null if it ended well
 * @property {string|null} notice        "exports_missed", "epoch_began", "split_view" … or null
 * @property {boolean} updateReady       a newer edition waits; `applyUpdate()` changes to it (web only)
 *
 * @typedef {object} ReportDraft
 * @property {"confirmed"|"clinical"} class
 * @property {string} onsetDay
 * @property {{day:string, level:"standard"|"high"}[]} infectious   days on which a case with this onset may infect
 * @property {{day:string, utcDay:number, level:"standard"|"high"}[]} days   empty in the web edition: it has no keys
 * @property {Visit[]} visits
 *
 * @typedef {object} ReportState
 * @property {"none"|"begun"|"waiting"|"sent"|"refused"} state   refused: the server did not take it, see code
 * @property {number|null} sendAt        when the upload leaves
 * @property {number|null} [publishAt]   by when it is in the published files, of one that was sent
 * @property {number|null} reachAt       when it will have reached the phones of others, as far as it can be said
 * @property {string|null} [code]        code of the refusal
 */
export {};
