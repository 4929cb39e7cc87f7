// What a deploy of Node-RED does to rows under way, beside `cargo bench --bench edits`.
//
//     node benches/peers/nodered.mjs [SECONDS]
//
// Installs Node-RED with npm in a temporary folder, runs it there on the loopback interface, and takes the folder away again. A
// flow of three nodes counts rows in its source, holds them for 50 ms and numbers them in a function with a memory; every second
// it is deployed anew with one change. Printed for each kind of change: rows lost, doubled, out of order, and memories lost.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const SECONDS = Number(process.argv[2] ?? 60);
const PORT = 18993;
const IN_FLIGHT_MAX = 200;
const ROWS_PER_TICK = 5; // one tick is 5 ms: 1,000 rows/s
const folder = mkdtempSync(join(tmpdir(), "nodered-"));

const NUMBERED =
  "const c = (context.get('c') || 0) + 1; context.set('c', c);" +
  "global.get('fs').appendFileSync('out.txt', msg.payload + ' ' + c + '\\n'); return null;";

function flow({ delay = 50, code = NUMBERED, past = false } = {}) {
  const at = { z: "tab", x: 100, y: 100 };
  const source =
    "let n = 0; context.set('timer', setInterval(() => {" +
    `for (let i = 0; i < ${ROWS_PER_TICK}; i++) node.send({ payload: ++n });` +
    "global.get('fs').writeFileSync('sent.txt', String(n)); }, 5));";
  return [
    { id: "tab", type: "tab", label: "rows" },
    { id: "source", type: "function", ...at, func: "", outputs: 1, wires: [[past ? "count" : "hold"]],
      initialize: source, finalize: "clearInterval(context.get('timer'));" },
    { id: "hold", type: "delay", ...at, pauseType: "delay", timeout: String(delay), timeoutUnits: "milliseconds",
      rate: "1", nbRateUnits: "1", rateUnits: "second", outputs: 1, wires: [["count"]] },
    { id: "count", type: "function", ...at, func: code, outputs: 1, wires: [[]] },
  ];
}

const KINDS = [
  ["nothing", "nodes", () => flow()],
  ["a parameter", "nodes", (turn) => flow({ delay: 50 + (turn % 2) })],
  ["the code of a node with a memory", "nodes", (turn) => flow({ code: `/* ${turn} */ ${NUMBERED}` })],
  ["a wire", "nodes", (turn) => flow({ past: turn % 2 === 1 })],
  ["broken code", "nodes", () => flow({ code: `let c = ; ${NUMBERED}` })],
  ["a parameter, full deploy", "full", (turn) => flow({ delay: 50 + (turn % 2) })],
];

async function deploy(flows, type) {
  const headers = { "Content-Type": "application/json", "Node-RED-Deployment-Type": type, "Node-RED-API-Version": "v1" };
  return (await fetch(`http://127.0.0.1:${PORT}/flows`, { method: "POST", headers, body: JSON.stringify(flows) })).status;
}

async function measure([name, type, change], seconds) {
  writeFileSync(join(folder, "out.txt"), "");
  writeFileSync(join(folder, "flow.json"), JSON.stringify(flow()));
  const server = spawn("node", [join(folder, "node_modules/node-red/red.js"), "-u", folder, "-s", join(folder, "settings.js")],
    { cwd: folder, stdio: "ignore" });
  const rows = () => readFileSync(join(folder, "out.txt"), "utf8").trim().split("\n").filter(Boolean).map((line) => line.split(" ").map(Number));
  for (let look = 0; look < 120 && rows().length === 0; look++) await pause(250);
  const statuses = new Set();
  let deploys = 0;
  for (; deploys < seconds; deploys++) {
    await pause(1000);
    statuses.add(await deploy(change(deploys + 1), type));
  }
  await pause(1000);
  server.kill();
  await new Promise((done) => server.once("exit", done));
  report(name, deploys, [...statuses].join(","), rows(), Number(readFileSync(join(folder, "sent.txt"), "utf8")));
}

/** A source that begins anew counts from one again: each such stretch is looked at by itself. */
function report(name, deploys, status, rows, sent) {
  let [lost, doubled, order, memories, newest] = [0, 0, 0, 0, 0];
  let seen = new Set();
  const close = () => { lost += newest - seen.size; seen = new Set(); newest = 0; };
  for (const [nth, [row, count]] of rows.entries()) {
    if (nth > 0 && count < rows[nth - 1][1]) memories++;
    if (row < newest - 500) close();
    if (seen.has(row)) doubled++;
    if (row < newest) order++;
    seen.add(row);
    newest = Math.max(newest, row);
  }
  // What was sent last is still under way; more than that has nobody who counts it any more.
  if (sent - newest > IN_FLIGHT_MAX) newest = sent;
  close();
  const cells = [deploys, status, rows.length, lost, (lost / deploys).toFixed(1), doubled, order, memories];
  console.log(name.padEnd(36) + cells.map((cell) => String(cell).padStart(10)).join(""));
}

try {
  execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "node-red"], { cwd: folder, stdio: "inherit" });
  writeFileSync(join(folder, "settings.js"),
    `module.exports = { uiPort: ${PORT}, uiHost: "127.0.0.1", httpAdminRoot: "/", disableEditor: true, flowFile: "flow.json",` +
    ` functionGlobalContext: { fs: require("fs") }, diagnostics: { enabled: false },` +
    ` telemetry: { enabled: false, updateNotification: false }, logging: { console: { level: "warn" } } };`);
  const version = JSON.parse(readFileSync(join(folder, "node_modules/node-red/package.json"), "utf8")).version;
  console.log(`Node-RED ${version}, 1,000 rows/s, a deploy each second`);
  console.log("deployed".padEnd(36) +
    ["deploys", "answer", "rows", "lost", "a deploy", "doubled", "order", "memories"].map((head) => head.padStart(10)).join(""));
  for (const kind of KINDS) await measure(kind, Math.max(1, Math.floor(SECONDS / KINDS.length)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
