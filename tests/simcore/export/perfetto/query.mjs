// Loads a trace in Perfetto's own trace processor (WebAssembly) and prints the answers to queries.
//
// Usage: node query.mjs FOLDER_OF_THE_BUNDLE TRACE SQL ...
// Prints one JSON object: {"error": text or null, "results": [{"columns", "rows"}, ...]}.
import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";

const [folder, trace, ...queries] = process.argv.slice(2);
const answers = [];
let receive = null;

// What the bundle expects of a web worker. `process` stays hidden, or it would take this for Node.
class FileRequest {
  open(method, url) {
    this.url = url;
  }
  send() {
    const bytes = fs.readFileSync(path.join(folder, path.basename(this.url)));
    this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    this.status = 200;
  }
}
const silent = { log() {}, warn() {}, error() {}, info() {}, debug() {} };
const world = {
  console: silent,
  performance,
  TextDecoder,
  TextEncoder,
  URL,
  setTimeout,
  clearTimeout,
  crypto,
  XMLHttpRequest: FileRequest,
  WorkerGlobalScope: function WorkerGlobalScope() {},
  importScripts() {},
  location: { href: "https://localhost/engine_bundle.js" },
};
world.self = world;
world.globalThis = world;
vm.createContext(world);
vm.runInContext(fs.readFileSync(path.join(folder, "engine_bundle.js"), "utf8"), world);

const Bytes = vm.runInContext("Uint8Array", world);
const port = {
  set onmessage(handler) {
    receive = handler;
  },
  postMessage(bytes) {
    answers.push(Buffer.from(bytes));
  },
};
world.onmessage({ data: port });

// A little of protocol buffers: varints, fixed 64 bits, and fields of known length.
function varint(value) {
  const out = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest ? low | 128 : low);
  } while (rest);
  return Buffer.from(out);
}
const sized = (field, body) => Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);

function* fields(bytes) {
  let at = 0;
  const next = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(next());
    if ((key & 7) === 0) yield [key >> 3, next()];
    else if ((key & 7) === 1) yield [key >> 3, bytes.subarray(at, (at += 8))];
    else {
      const length = Number(next());
      yield [key >> 3, bytes.subarray(at, (at += length))];
    }
  }
}
function packed(bytes) {
  const out = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      out.push(BigInt.asIntN(64, value));
      value = shift = 0n;
    }
  }
  return out;
}

const APPEND = 1;
const FINALIZE = 2;
const QUERY = 3;
let sequence = 0;

function call(method, body = Buffer.alloc(0)) {
  answers.length = 0;
  const message = Buffer.concat([number(1, sequence++), number(2, method), body]);
  receive({ data: Bytes.from(sized(1, message)) });
  const out = [];
  for (const answer of answers) {
    for (const [, inner] of fields(answer)) out.push(new Map(), [...fields(inner)]);
  }
  return out.filter(Array.isArray);
}

function textOf(bytes) {
  return bytes.toString("utf8");
}

function query(sql) {
  const columns = [];
  const cells = [];
  let error = null;
  for (const reply of call(QUERY, sized(103, sized(1, Buffer.from(sql))))) {
    for (const [field, body] of reply) {
      if (field !== 203) continue;
      for (const [part, content] of fields(body)) {
        if (part === 1) columns.push(textOf(content));
        if (part === 2) error = textOf(content);
        if (part === 3) cells.push(...batch(content));
      }
    }
  }
  if (error) return { error };
  const rows = [];
  for (let at = 0; at < cells.length; at += columns.length) {
    rows.push(cells.slice(at, at + columns.length));
  }
  return { columns, rows };
}

function batch(bytes) {
  let kinds = [];
  let whole = [];
  const real = [];
  let text = [];
  for (const [part, content] of fields(bytes)) {
    if (part === 1) kinds = packed(content).map(Number);
    if (part === 2) whole = packed(content);
    if (part === 3) {
      for (let at = 0; at < content.length; at += 8) real.push(content.readDoubleLE(at));
    }
    if (part === 5) text = textOf(content).split("\0");
  }
  return kinds.map((kind) => {
    if (kind === 2) return Number(whole.shift());
    if (kind === 3) return real.shift();
    if (kind === 4) return text.shift();
    return null;
  });
}

// The module may finish starting in a later turn of the event loop.
setTimeout(() => {
  let error = null;
  const file = fs.openSync(trace);
  const piece = Buffer.alloc(16 << 20);
  for (let size; (size = fs.readSync(file, piece, 0, piece.length, null)) > 0; ) {
    for (const reply of call(APPEND, sized(101, piece.subarray(0, size)))) {
      for (const [field, body] of reply) {
        if (field !== 201 || typeof body === "bigint") continue;
        for (const [part, content] of fields(body)) if (part === 2) error = textOf(content);
      }
    }
  }
  call(FINALIZE);
  const results = queries.map(query);
  process.stdout.write(JSON.stringify({ error, results }));
}, 300);
