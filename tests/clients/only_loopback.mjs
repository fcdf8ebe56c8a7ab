// Ends a Node process that reaches for another machine: `node --import ./only_loopback.mjs ...`.
// It ends it, because an exception could be caught and taken for an ordinary network failure.
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const stays = (host) => ["", "localhost", "::1", "[::1]"].includes(host) || /^127(\.\d+){3}$/.test(host);

function check(host, what) {
  if (!stays(String(host ?? ""))) {
    process.stderr.write(`a test reached for ${host} (${what})\n`);
    process.exit(97);
  }
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  // connect(port, host), connect(options), or what net.connect has made of either: an array.
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof first === "object") {
    if (!first.path) check(first.host, "connect");
  } else if (typeof args[1] === "string") {
    check(args[1], "connect");
  }
  return connect.apply(this, args);
};

for (const from of [dns, dns.promises]) {
  for (const name of Object.keys(from).filter((name) => /^(lookup$|resolve|reverse)/.test(name))) {
    const original = from[name];
    from[name] = function (host, ...rest) {
      check(host, name);
      return original.call(this, host, ...rest);
    };
  }
}

// For who imports these modules by name.
syncBuiltinESMExports();
