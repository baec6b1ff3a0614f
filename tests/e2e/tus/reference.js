// tus's own reference server, behind the court's mutual TLS, where the centre's
// listener for devices was:
//
//     node reference.js PORT FOLDER CERT KEY CA
"use strict";
const https = require("node:https");
const fs = require("node:fs");
const { Server } = require("@tus/server");
const { FileStore } = require("@tus/file-store");

const [port, directory, cert, key, ca] = process.argv.slice(2);
const tus = new Server({
  path: "/v1/evidence",
  relativeLocation: true,
  datastore: new FileStore({ directory }),
});
const options = {
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
  requestCert: true,
  rejectUnauthorized: true,
};

https
  .createServer(options, (request, response) => tus.handle(request, response))
  .listen(Number(port), "127.0.0.1", () => console.log("ready"));
