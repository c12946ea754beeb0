// SPDX-License-Identifier: Apache-2.0
// A message centre for the tests, on the SMPP implementation of the npm package `smpp`: checks the password, writes down
// every submit before it answers, sends receipts until they are confirmed, answers query_sm. Started by tests/builders/smsc.py.
// arguments: port, log file. stdin: lines of JSON that change how it behaves.
"use strict";
const fs = require("fs");
const readline = require("readline");
const smpp = require("smpp");

const [port, file] = process.argv.slice(2);
const ways = {
  systemId: "bluezone",
  password: "secret",
  receipts: true,       // send deliver_sm receipts
  tlvs: true,           // with the TLVs, else only as text
  echo: true,           // repeat user_message_reference in them
  state: "DELIVRD",
  mute: false,          // write down, never answer
  drop: 0,              // after so many more submits: write down and cut the line without an answer
  statuses: {},         // destination -> command_status instead of an id
  throttle: 0,          // most submits a second
  garbage: false,       // answer a submit with bytes that are no PDU
  early: false,         // receipt before the answer
  fate: 0,              // message_state that query_sm tells; 0: under way until the receipt is confirmed
};
const STATES = { DELIVRD: 2, EXPIRED: 3, UNDELIV: 5, REJECTD: 8 };
const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").filter(Boolean).map(JSON.parse) : [];
const taken = lines.filter((line) => line.id);
const confirmed = new Set(lines.filter((line) => line.confirmed).map((line) => line.confirmed));
const log = fs.openSync(file, "a");
const write = (line) => fs.writeSync(log, JSON.stringify(line) + "\n");
let second = 0, inSecond = 0;

const receipt = (session, one) => {
  const stat = ways.state;
  const text = `id:${one.id} sub:001 dlvrd:001 submit date:2008071200 done date:2008071201 stat:${stat} err:000 text:`;
  const more = ways.tlvs ? { receipted_message_id: one.id, message_state: STATES[stat] } : {};
  if (ways.tlvs && ways.echo) more.user_message_reference = one.reference;
  session.deliver_sm(
    { source_addr: one.to, destination_addr: one.from, esm_class: 4, short_message: text, ...more },
    (answer) => {
      if (answer.command_status === 0 && !confirmed.has(one.id)) {
        confirmed.add(one.id);
        write({ confirmed: one.id });
      }
    });
};

const take = (session, pdu) => {
  const to = pdu.destination_addr;
  if (ways.throttle) {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) [second, inSecond] = [now, 0];
    if (++inSecond > ways.throttle) return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  }
  if (to in ways.statuses) return session.send(pdu.response({ command_status: ways.statuses[to] }));
  const udh = pdu.short_message.udh;
  const one = {
    id: (0xA0000000 + taken.length).toString(16).toUpperCase(), to, from: pdu.source_addr, coding: pdu.data_coding,
    text: pdu.short_message.message, udh: udh ? [...udh[0]] : null, reference: pdu.user_message_reference,
    validity: pdu.validity_period, ton: [pdu.source_addr_ton, pdu.dest_addr_ton], at: Date.now(),
  };
  taken.push(one);
  write(one);
  if (ways.drop && --ways.drop === 0) return session.socket.destroy();
  if (ways.mute) return undefined;
  if (ways.garbage) return session.socket.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
  if (ways.early && ways.receipts) receipt(session, one);
  session.send(pdu.response({ message_id: one.id }));
  if (ways.receipts && !ways.early) setImmediate(() => receipt(session, one));
  return undefined;
};

const server = smpp.createServer((session) => {
  session.on("error", () => {});
  session.on("bind_transceiver", (pdu) => {
    if (pdu.system_id !== ways.systemId || pdu.password !== ways.password) {
      session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
      return session.close();
    }
    session.send(pdu.response({ system_id: "test" }));
    if (ways.receipts) for (const one of taken) if (!confirmed.has(one.id)) receipt(session, one);
    return undefined;
  });
  session.on("submit_sm", (pdu) => take(session, pdu));
  session.on("query_sm", (pdu) => {
    const found = pdu.message_id
      ? taken.find((one) => one.id === pdu.message_id)
      : taken.findLast((one) => one.reference === pdu.user_message_reference);
    write({ asked: pdu.message_id || pdu.user_message_reference, found: Boolean(found) });
    if (!found) return session.send(pdu.response({ command_status: smpp.ESME_RINVMSGID }));
    return session.send(pdu.response({ message_id: found.id, message_state: ways.fate || (confirmed.has(found.id) ? 2 : 1) }));
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); });
});
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  Object.assign(ways, JSON.parse(line));
  process.stdout.write("changed\n");
}).on("close", () => process.exit(0));
server.listen(Number(port), "127.0.0.1", () => process.stdout.write("listening\n"));
