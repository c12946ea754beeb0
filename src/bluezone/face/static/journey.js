// SPDX-License-Identifier: Apache-2.0
/**
 * Where the owner of this phone stands: the one table of states, from what the phone knows to what it says.
 *
 * No state says more than is known. Green is said in one case only: a check ended well after there
 * was something to compare, nothing was found, nothing keeps warnings from coming, and its owner is not a patient. A patient is never green, from
 * the moment they agree to report, whether or not the report has been sent; a negative test ends nothing, and nothing here ever says that anybody may go out: the health station does.
 * How long things last comes from the signed rules (`city.care`).
 */
import { between, later } from "./dates.js";

// How long the end of a watch or of an isolation is told.
const TOLD_DAYS = 7;
const TESTS = ["tested", "negative"];

/**
 * The table: the first row whose evidence is there is the state. look: colours of the card; icon: its drawing.
 *
 * facts: as `factsOf` gathers them.
 */
export const STATES = [
  { name: "positive", look: "care", icon: "home_stay", evidence: ({ isolation }) => isolation !== null },
  { name: "negative", look: "warn", icon: "watch", evidence: ({ warning, test }) => warning !== null && test === "negative" },
  { name: "waiting", look: "warn", icon: "watch", evidence: ({ warning, test }) => warning !== null && test === "tested" },
  { name: "D", look: "alert", icon: "alert", evidence: ({ warning, atHome }) => warning !== null && warning.level === "high" && atHome },
  { name: "watch", look: "warn", icon: "watch", evidence: ({ warning }) => warning !== null && warning.level === "high" },
  { name: "C", look: "warn", icon: "warn", evidence: ({ warning }) => warning !== null },
  { name: "over", look: "calm", icon: "info", evidence: ({ ended }) => ended !== null },
  { name: "B1", look: "warn", icon: "stop", evidence: ({ stop }) => stop === "B1" },
  { name: "B2", look: "warn", icon: "stop", evidence: ({ stop }) => stop === "B2" },
  { name: "B3", look: "warn", icon: "stop", evidence: ({ stop }) => stop === "B3" },
  { name: "nothing", look: "calm", icon: "info", evidence: ({ hasEvidence }) => !hasEvidence },
  { name: "unchecked", look: "calm", icon: "info", evidence: ({ compared }) => !compared },
  { name: "A", look: "ok", icon: "ok", evidence: () => true },
];

/** The state of a phone. state: as the engine tells it; today: the local day. Returns the row with the facts behind it. */
export function journeyOf(state, today, dayOf) {
  const facts = factsOf(state, today, dayOf);
  const { name, look, icon } = STATES.find((row) => row.evidence(facts));
  return { name, look, icon, ...facts };
}

/**
 * What the states go by.
 *
 * isolation, ended: {from, until} of a patient, and {kind: "isolation"|"watch", until} of what ended lately.
 * warning: the one that counts, of those whose watch is not over: the gravest, then one that no test was noted for, then
 * the latest; others: the rest. day: how many days ago it was. atHome: whether the rules still ask to stay at home. called: day of the call about
 * it or null. test: "tested" | "negative" | null, what was noted for it last; early: before a test is worth taking; such
 * a test counts only until then. compared: a check ended well after what is kept here was there. left: days left.
 */
function factsOf(state, today, dayOf) {
  const { care } = state.city;
  const { acts } = state;
  const days = (kind) => acts.filter((act) => act.kind === kind).map((act) => act.day);
  const starts = [...days("positive"), ...(state.agreedAt ? [dayOf(state.agreedAt)] : []), ...(state.pendingReport ? [today] : [])].sort();
  const isolations = starts.map((from) => ({ from, until: later(from, care.isolationDays) }));
  const isolation = isolations.find(({ until }) => until >= today) || null;
  const live = state.warnings.filter((warning) => warning.watchUntil >= today);
  const testOf = (one) => lastTest(acts, one, today, care);
  const grave = live.filter(({ level }) => level === "high");
  const counted = grave.length ? grave : live;
  const warning = counted.find((one) => testOf(one) === null) || counted[0] || null;
  const about = warning ? acts.filter((act) => isAbout(act, warning)) : [];
  const last = warning ? testOf(warning) : null;
  const day = warning ? between(warning.day, today) : 0;
  const until = isolation ? isolation.until : warning ? warning.watchUntil : null;
  return {
    isolation, warning, others: live.filter((one) => one !== warning), day,
    atHome: day <= care.homeDays,
    homeUntil: warning && later(warning.day, care.homeDays),
    testFrom: warning && later(warning.day, care.testFromDay),
    called: (isolation ? acts : about).filter(({ kind }) => kind === "called").map((act) => act.day).pop() || null,
    test: last && last.kind, testDay: last && last.day,
    early: Boolean(last && warning) && last.day < later(warning.day, care.testFromDay),
    until, left: until === null ? null : between(today, until),
    ended: endedOf(state, today, isolations, live.length > 0, days("ended")),
    stop: (state.stops || [])[0] || null, hasEvidence: state.hasEvidence, compared: Boolean(state.checkedAt && state.compared),
  };
}

/** What an entry of the journal calls a warning: a graver or longer one of the same day is another. */
export const nameOf = ({ id, level, minutesBand }) => `${id}/${level}/${minutesBand}`;

/** The names of the warnings that the owner knows of when they note something: it says nothing about a later one. */
export const namesOf = (state, today) => state.warnings.filter(({ watchUntil }) => watchUntil >= today).map(nameOf);

const isAbout = (act, warning) => act.marks.includes(nameOf(warning));

/** The last test noted for a warning. One before a test is worth taking counts only until then. */
function lastTest(acts, warning, today, care) {
  const from = later(warning.day, care.testFromDay);
  const counts = (act) => TESTS.includes(act.kind) && isAbout(act, warning) && (act.day >= from || today < from);
  return acts.filter(counts).pop() || null;
}

/** What ended within a week and was not read yet, the latest. */
function endedOf(state, today, isolations, warned, read) {
  if (warned) return null;
  const watch = state.lastWarning ? [{ kind: "watch", until: state.lastWarning.watchUntil }] : [];
  const rules = [...isolations.map(({ until }) => ({ kind: "isolation", until })), ...watch, ...state.warnings.map(({ watchUntil }) => ({ kind: "watch", until: watchUntil }))];
  const lately = rules.filter(({ until }) => until < today && today <= later(until, TOLD_DAYS) && !read.includes(until));
  return lately.sort((one, other) => (one.until < other.until ? -1 : 1)).pop() || null;
}
