// One upload by tus-js-client, as it comes from npm, under mutual TLS.
//
//   node upload.mjs < JSON      prints one JSON object: what became of it
//
// {endpoint, key, cert, ca: PEM files; file; meta: {…}; chunk; during: send
//  bytes with the creation; abort_at: stop once so many bytes were taken (and
//  terminate: delete it); url: go on with that upload; checksum: a header sent
//  with each PATCH}
import fs from 'node:fs'
import https from 'node:https'
import { DefaultHttpStack, Upload } from 'tus-js-client'

const ask = JSON.parse(fs.readFileSync(0, 'utf8'))
const agent = new https.Agent({
  key: fs.readFileSync(ask.key),
  cert: fs.readFileSync(ask.cert),
  ca: fs.readFileSync(ask.ca),
  servername: 'centre.daybreak.internal',
})
const patches = []

function say(what) {
  console.log(JSON.stringify({ ...what, url: upload.url, patches }))
  process.exit(0)
}

const upload = new Upload(fs.createReadStream(ask.file), {
  endpoint: ask.endpoint,
  uploadUrl: ask.url ?? null,
  uploadSize: fs.statSync(ask.file).size,
  chunkSize: ask.chunk ?? Infinity,
  uploadDataDuringCreation: ask.during ?? false,
  metadata: ask.meta,
  retryDelays: null,
  httpStack: new DefaultHttpStack({ agent }),
  onBeforeRequest(rq) {
    if (rq.getMethod() !== 'PATCH') return
    patches.push(rq.getHeader('Upload-Offset'))
    if (ask.checksum) rq.setHeader('Upload-Checksum', ask.checksum)
  },
  onProgress(sent) {
    if (ask.abort_at === undefined || sent < ask.abort_at) return
    ask.abort_at = undefined
    upload.abort(ask.terminate ?? false).then(
      () => say({ aborted: true }),
      (e) => say({ error: String(e) }),
    )
  },
  onSuccess() {
    say({ done: true })
  },
  onError(e) {
    const r = e.originalResponse
    say({
      error: String(e).slice(0, 300),
      status: r ? r.getStatus() : 0,
      body: r ? r.getBody() : '',
    })
  },
})
upload.start()
